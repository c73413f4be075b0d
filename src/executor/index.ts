export type {
  Code,
  ExecutionContext,
  ExecutionOptions,
  Executor,
  OutputPart,
  Session,
  SubmitField,
} from './executor.ts';
export type { FrameKind } from './sandbox/frame.ts';
export { freezeGuestValue } from './guest-value.ts';
export type { GuestNumbers, GuestValue } from './guest-value.ts';
export { createExecutor, createTrustDomain } from './create-executor.ts';
export type { ExecutorOptions, TrustDomainOptions } from './create-executor.ts';
export type { LanguageCapabilities, LanguageName } from './language/language.ts';
export { createPythonInterpreter } from './language/python/interpreter/python-interpreter.ts';
export type {
  FinalOutput,
  HostFiles,
  InterpreterParameter,
  InterpreterResult,
  InterpreterTool,
  OutputField,
  PythonInterpreter,
  PythonInterpreterOptions,
  UnsavedFile,
} from './language/python/interpreter/python-interpreter.ts';
export { createPythonExecutor } from './language/python/python-executor.ts';
export type { PythonExecutorOptions } from './language/python/python-executor.ts';
export type { AssetLocation } from './sandbox/guest-files.ts';
export { defaultLimits } from './limits.ts';
export type { ExecutorLimits } from './limits.ts';
export type {
  Cancelled,
  Denied,
  Exceeded,
  ExceededLimit,
  Failed,
  GuestError,
  LostName,
  Outcome,
  Restored,
  Returned,
  Submitted,
  SyntaxFault,
  Threw,
} from './outcome.ts';
export { displayTypes } from './display.ts';
export type { DisplayType, DisplayValue } from './display.ts';
export { renderHtml } from './rich/render-html.ts';
export type { RenderOptions } from './rich/render-html.ts';
export { policyVersion } from './policy/check-policy.ts';
export { decide } from './policy/decide.ts';
export type { Decision, Permission, PolicyRequest } from './policy/decide.ts';
export { comparePolicies, describePolicy } from './policy/describe-policy.ts';
export type { PolicyChange, PolicyList } from './policy/describe-policy.ts';
export { createFetchTool } from './policy/fetch-tool.ts';
export type { FetchToolOptions } from './policy/fetch-tool.ts';
export { narrowPolicy } from './policy/narrow-policy.ts';
export { denyByDefault, parsePolicy, resolvePolicy } from './policy/policy.ts';
export type { NetworkRule, PackageRule, Policy, PolicyInput } from './policy/policy.ts';
export type { HandedPackage, PackageIndex, PackageRequest } from './package.ts';
export { openPackageCache } from './package-cache.ts';
export type { PackageCache, StoredPackage } from './package-cache.ts';
export type { Tool, ToolCall, Tools } from './tool.ts';
export type { SandboxId } from './sandbox/sandbox-id.ts';
export { sandboxHeaders } from './sandbox/sandbox-headers.ts';
export type { SandboxHeaders } from './sandbox/sandbox-headers.ts';
export { openSnapshotCache } from './snapshot-cache.ts';
export type { SnapshotCache, StoredSnapshot } from './snapshot-cache.ts';
export type { TrustDomain } from './sandbox/trust-domain.ts';
