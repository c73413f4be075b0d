/** Our request in the words of OpenAI's chat completions. */
import type { Json, JsonObject } from '../../base/index.ts';
import { invalidRequest } from '../error.ts';
import type { LmConfig, LmContentPart, LmMessage, LmRequest, LmResponseFormat } from '../message.ts';

/** Under which name a server wants the most tokens of an answer. */
export type MaxTokensName = 'max_tokens' | 'max_completion_tokens';

/** OpenAI's reasoning models take only the newer name; most other servers know only the older. */
export function maxTokensNameFor(model: string): MaxTokensName {
  const family = model.split('/').at(-1) ?? model;
  return /^(o[1-9]|gpt-5(?!.*chat))/.test(family) ? 'max_completion_tokens' : 'max_tokens';
}

export interface ChatOptions {
  readonly maxTokensName: MaxTokensName;
  /** Whether streams ask for token counts. */
  readonly streamsUsage: boolean;
}

const reserved = ['model', 'messages', 'stream', 'stream_options'];

/** The body of the POST. Members of `extensions` win over those made here. */
export function toChatRequest(
  model: string,
  request: LmRequest,
  options: ChatOptions & { readonly isStream: boolean },
): JsonObject {
  const { config } = request;
  const extensions = config.extensions ?? {};
  for (const name of reserved) {
    if (!Object.hasOwn(extensions, name)) continue;
    throw invalidRequest(
      model,
      `config.extensions.${name}`,
      extensions[name],
      'no such member: it is set by the call',
    );
  }
  return {
    model,
    messages: request.messages.map(toChatMessage),
    ...toSettings(config, options.maxTokensName),
    ...extensions,
    ...(options.isStream ? { stream: true } : {}),
    ...(options.isStream && options.streamsUsage ? { stream_options: { include_usage: true } } : {}),
  };
}

function toSettings(config: LmConfig, maxTokensName: MaxTokensName): JsonObject {
  const all: Record<string, Json | undefined> = {
    temperature: config.temperature,
    [maxTokensName]: config.maxTokens,
    n: config.n,
    top_p: config.topP,
    stop: config.stop,
    seed: config.seed,
    response_format: config.responseFormat && toResponseFormat(config.responseFormat),
  };
  const given = Object.entries(all).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(given);
}

function toResponseFormat(format: LmResponseFormat): JsonObject {
  switch (format.type) {
    case 'text':
      return { type: 'text' };
    case 'json-object':
      return { type: 'json_object' };
    case 'json-schema': {
      const { name, schema, strict } = format;
      return {
        type: 'json_schema',
        json_schema: { name, schema, ...(strict === undefined ? {} : { strict }) },
      };
    }
  }
}

function toChatMessage(message: LmMessage): JsonObject {
  const { role, content, name } = message;
  return {
    role,
    content: typeof content === 'string' ? content : content.map(toChatPart),
    ...(name === undefined ? {} : { name }),
  };
}

function toChatPart(part: LmContentPart): JsonObject {
  if (part.type === 'text') return { type: 'text', text: part.text };
  const { url, detail } = part;
  return { type: 'image_url', image_url: { url, ...(detail === undefined ? {} : { detail }) } };
}
