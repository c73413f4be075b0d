/** `vivarium/executor`: runs code that nobody trusts, in a frame that reaches nothing it was not given. Needs no other part of Vivarium. */
export { CodedError, isCodedError } from './base/index.ts';
export type { ErrorCode, Json, JsonObject } from './base/index.ts';
export {
  createExecutor,
  createPythonExecutor,
  createTrustDomain,
  denyByDefault,
  freezeGuestValue,
  narrowPolicy,
  sandboxHeaders,
} from './executor/index.ts';
export type {
  AssetLocation,
  Code,
  ExecutionContext,
  ExecutionOptions,
  Executor,
  ExecutorLimits,
  ExecutorOptions,
  FrameKind,
  GuestValue,
  LanguageName,
  Outcome,
  OutputPart,
  Policy,
  PythonExecutorOptions,
  SandboxHeaders,
  SandboxId,
  Session,
  TrustDomain,
  TrustDomainOptions,
} from './executor/index.ts';
