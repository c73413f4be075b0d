export { checkRequest } from './check-request.ts';
export type { LmErrorCode } from './error.ts';
export { createHistory, inspectHistory, withHistory } from './history.ts';
export type { LmHistory, LmHistoryEntry } from './history.ts';
export type { LanguageModel, LmCallOptions } from './language-model.ts';
export type {
  LmConfig,
  LmContentPart,
  LmImageUrlPart,
  LmMessage,
  LmOutput,
  LmRequest,
  LmResponse,
  LmResponseFormat,
  LmRole,
  LmStreamPart,
  LmTextPart,
  LmUsage,
} from './message.ts';
export { openAiCompatible } from './provider/openai-compatible.ts';
export type { LmLimits, OpenAiCompatibleOptions } from './provider/openai-compatible.ts';
export type { MaxTokensName } from './provider/openai-request.ts';
export { scriptedLm } from './provider/scripted.ts';
export type { Script, ScriptedLmOptions, ScriptedReply } from './provider/scripted.ts';
export { diagnoseUnreachable } from './reachability.ts';
export { testEndpoint } from './test-endpoint.ts';
export type { EndpointReport, EndpointVerdict, TestEndpointOptions } from './test-endpoint.ts';
export { addUsage, noUsage } from './usage.ts';
