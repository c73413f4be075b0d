export type { ActorContext, Behaviour, CallContext, PageCallOptions, StartBehaviour } from './behaviour.ts';
export { checkActorLimits } from './check-system.ts';
export type { ActorSpec, ChildSpec, SupervisorSpec } from './child-spec.ts';
export { Host } from './host.ts';
export type { HostOptions } from './host.ts';
export { defaultActorLimits } from './limits.ts';
export type { ActorLimits, Shutdown } from './limits.ts';
export { inThreadRealm, workerRealm } from './realm.ts';
export type { RestartLimits, RestartType } from './restart.ts';
export type { MessageSource } from './message-source.ts';
export type { Realm } from './slot.ts';
export type { AutoShutdown, ChildStatus, ChildType, Strategy } from './supervision-state.ts';
export type {
  ChildCounts,
  ChildInfo,
  ChildSnapshot,
  RestartRecord,
  SupervisorSnapshot,
} from './supervisor-snapshot.ts';
export { Supervisor } from './supervisor.ts';
export type { SupervisorOptions } from './supervisor.ts';
export { ActorSystem } from './system.ts';
export type { ActorExitReason, ActorRef, Exit, SpawnOptions, SystemOptions } from './system.ts';
