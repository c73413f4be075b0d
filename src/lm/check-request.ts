/** Requests may come over a port or from a file: what reaches a provider was looked at. */
import { isJson } from '../base/index.ts';
import type { JsonObject } from '../base/index.ts';
import { invalidRequest } from './error.ts';
import type { LmConfig, LmRequest } from './message.ts';

const roles: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'developer', 'tool']);
/** More answers than this in one call are a mistake. */
const maxAnswers = 128;

type Refuse = (field: string, value: unknown, expected: string) => never;
type Check = readonly [isValid: (value: unknown) => boolean, expected: string];

/** Throws `lm/invalid-request` naming the field, its value and what was expected. */
export function checkRequest(model: string, request: LmRequest): void {
  const refuse: Refuse = (field, value, expected) => {
    throw invalidRequest(model, field, value, expected);
  };
  if (!isObject(request)) refuse('request', request, 'an object with messages and config');
  const { messages, config } = request;
  if (!Array.isArray(messages) || messages.length === 0) {
    refuse('messages', messages, 'a list of at least one message');
  }
  messages.forEach((message, index) => checkMessage(message, `messages[${index}]`, refuse));
  if (!isObject(config)) refuse('config', config, 'an object');
  for (const [name, value] of Object.entries(config)) {
    if (value !== undefined) checkSetting(name, value, refuse);
  }
}

/** A setting under a wrong name would be lost without a word. */
function checkSetting(name: string, value: unknown, refuse: Refuse): void {
  if (!Object.hasOwn(configChecks, name)) {
    return refuse(`config.${name}`, value, `one of ${Object.keys(configChecks).join(', ')}`);
  }
  const [isValid, expected] = configChecks[name as keyof LmConfig];
  if (!isValid(value)) refuse(`config.${name}`, value, expected);
}

function checkMessage(message: unknown, path: string, refuse: Refuse): void {
  if (!isObject(message)) return refuse(path, message, 'a message');
  const { role, content, name } = message;
  if (!roles.has(role)) refuse(`${path}.role`, role, [...roles].join(', '));
  if (name !== undefined && typeof name !== 'string') refuse(`${path}.name`, name, 'a text');
  if (typeof content === 'string') return;
  if (!Array.isArray(content)) return refuse(`${path}.content`, content, 'a text or a list of parts');
  content.forEach((part, index) => checkPart(part, `${path}.content[${index}]`, refuse));
}

function checkPart(part: unknown, path: string, refuse: Refuse): void {
  if (!isObject(part)) return refuse(path, part, 'a text part or an image-url part');
  const { type, text, url } = part;
  if (type === 'text') {
    if (typeof text !== 'string') refuse(`${path}.text`, text, 'a text');
  } else if (type === 'image-url') {
    if (typeof url !== 'string') refuse(`${path}.url`, url, 'an address');
  } else refuse(`${path}.type`, type, 'text or image-url');
}

const formats: ReadonlySet<unknown> = new Set(['text', 'json-object', 'json-schema']);

const configChecks: { readonly [K in keyof Required<LmConfig>]: Check } = {
  temperature: [isNumberFrom(0), 'a number of at least 0'],
  maxTokens: [isIntegerFrom(1), 'an integer of at least 1'],
  n: [isIntegerFrom(1, maxAnswers), `an integer from 1 to ${maxAnswers}`],
  topP: [isNumberFrom(0, 1), 'a number from 0 to 1'],
  stop: [isStop, 'a text or a list of texts'],
  responseFormat: [isResponseFormat, `an object of JSON with type ${[...formats].join(', ')}`],
  seed: [Number.isSafeInteger, 'an integer'],
  extensions: [isJsonObject, 'an object of JSON'],
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isJsonObject(value: unknown): value is JsonObject {
  return isObject(value) && isJson(value);
}

function isResponseFormat(value: unknown): boolean {
  if (!isJsonObject(value) || !formats.has(value['type'])) return false;
  return (
    value['type'] !== 'json-schema' || (typeof value['name'] === 'string' && value['schema'] !== undefined)
  );
}

function isNumberFrom(least: number, most: number = Infinity): (value: unknown) => boolean {
  return (value) => typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most;
}

function isIntegerFrom(least: number, most: number = Number.MAX_SAFE_INTEGER): (value: unknown) => boolean {
  return (value) => Number.isSafeInteger(value) && isNumberFrom(least, most)(value);
}

function isStop(value: unknown): boolean {
  return (
    typeof value === 'string' || (Array.isArray(value) && value.every((item) => typeof item === 'string'))
  );
}
