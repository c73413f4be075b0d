export type { Code, ExecutionContext, ExecutionOptions, Executor, OutputPart, Session } from './executor.ts';
export type { Watcher as EscapeWatcher } from './escape/attempts.ts';
export type { FrameKind } from './sandbox/frame.ts';
export { freezeGuestValue } from './guest-value.ts';
export type { GuestNumbers, GuestValue } from './guest-value.ts';
export { createExecutor, createTrustDomain } from './create-executor.ts';
export type { ExecutorOptions, TrustDomainOptions } from './create-executor.ts';
export type { LanguageName } from './language/language.ts';
export { createPythonExecutor } from './language/python/python-executor.ts';
export type { PythonExecutorOptions } from './language/python/python-executor.ts';
export type { AssetLocation } from './sandbox/guest-files.ts';
export type { ExecutorLimits } from './limits.ts';
export type {
  Cancelled,
  Denied,
  Exceeded,
  ExceededLimit,
  Failed,
  GuestError,
  Outcome,
  Returned,
  Submitted,
  SyntaxFault,
  Threw,
} from './outcome.ts';
export { denyByDefault, narrowPolicy } from './policy.ts';
export type { Policy } from './policy.ts';
export type { SandboxId } from './sandbox/sandbox-id.ts';
export { sandboxHeaders } from './sandbox/sandbox-headers.ts';
export type { SandboxHeaders } from './sandbox/sandbox-headers.ts';
export type { TrustDomain } from './sandbox/trust-domain.ts';
