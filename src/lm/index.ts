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
