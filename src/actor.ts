/** `vivarium/actor`: actors in workers, and supervisors over them, by OTP's rules; what a runtime is built of. Needs no other part of Vivarium. */
export {
  ActorSystem,
  defaultActorLimits,
  Host,
  inThreadRealm,
  Supervisor,
  workerRealm,
} from './actor/index.ts';
export type {
  ActorContext,
  ActorExitReason,
  ActorLimits,
  ActorRef,
  ActorSpec,
  AutoShutdown,
  Behaviour,
  CallContext,
  ChildCounts,
  ChildInfo,
  ChildSnapshot,
  ChildSpec,
  ChildStatus,
  ChildType,
  Exit,
  HostOptions,
  MessageSource,
  PageCallOptions,
  Realm,
  RestartLimits,
  RestartRecord,
  RestartType,
  Shutdown,
  SpawnOptions,
  StartBehaviour,
  Strategy,
  SupervisorOptions,
  SupervisorSnapshot,
  SupervisorSpec,
  SystemOptions,
} from './actor/index.ts';
export { CodedError, isCodedError } from './base/index.ts';
export type { ErrorCode, Json, JsonObject } from './base/index.ts';
export { systemClock } from './platform/index.ts';
export type { Clock } from './platform/index.ts';
export { createWorkerScopePort } from './port/index.ts';
export type { CallOptions, IncomingCall, IncomingMessage, Port, PortLimits } from './port/index.ts';
export { createHub } from './telemetry/index.ts';
export type { Hub, SpanContext } from './telemetry/index.ts';
