/** A model whose answers were written beforehand, for tests and for pages without a key. Its name says so. */
import { isCodedError, messageOf } from '../../base/index.ts';
import type { CodedError } from '../../base/index.ts';
import { sleep, systemClock } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { CallLimit } from '../call-limit.ts';
import { checkRequest } from '../check-request.ts';
import { invalidRequest, lmError } from '../error.ts';
import type { LanguageModel, LmCallOptions } from '../language-model.ts';
import type { LmMessage, LmOutput, LmRequest, LmResponse, LmStreamPart } from '../message.ts';
import { runGenerate, runStream } from '../run-call.ts';

export interface ScriptedReply {
  /** The answer; a list gives one for each of the `n` that were asked for. */
  readonly text: string | readonly string[];
  /** Default `'stop'`. */
  readonly finishReason?: string;
  /** Pause before the first word. Default 0 ms. */
  readonly delayMs?: number;
  /** Pause before each further word of a stream. Default 0 ms, which still lets other work run. */
  readonly wordDelayMs?: number;
}

/** Undefined means that the script has no answer. */
export type Script = (
  request: LmRequest,
) => string | ScriptedReply | undefined | Promise<string | ScriptedReply | undefined>;

export interface ScriptedLmOptions {
  readonly script: Script;
  /** The model is called `scripted/<name>`. Default `lm`. */
  readonly name?: string | undefined;
  /** For calls that name no limit. Default 300,000 ms. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly hub?: Hub | undefined;
}

const defaultTimeoutMs = 300_000;
const shownPromptChars = 200;

/**
 * Its usage counts words, not tokens. Errors: `lm/script-exhausted` with the prompt that has no answer,
 * `lm/script-failed` when the script throws or answers with something else; coded errors that it throws pass through.
 */
export function scriptedLm(options: ScriptedLmOptions): LanguageModel {
  const { script, name = 'lm' } = options;
  const model = `scripted/${name}`;
  if (typeof script !== 'function') throw invalidRequest(model, 'script', script, 'a function');
  const clock = options.clock ?? systemClock;
  const frame = {
    model,
    clock,
    hub: options.hub ?? silentHub,
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
  };
  const answer = async (request: LmRequest, limit: CallLimit): Promise<Answer> => {
    checkRequest(model, request);
    const found = await findAnswer(model, script, request);
    if (found.delayMs > 0) await limit.race(sleep(clock, found.delayMs, limit.signal));
    return found;
  };
  return {
    model,
    isScripted: true,
    generate: (request: LmRequest, callOptions: LmCallOptions = {}): Promise<LmResponse> =>
      runGenerate(frame, callOptions, async ({ limit }) => (await answer(request, limit)).response),
    stream: (request: LmRequest, callOptions: LmCallOptions = {}): AsyncIterable<LmStreamPart> =>
      runStream(frame, callOptions, ({ limit }) => streamWords(limit, answer(request, limit))),
  };
}

interface Answer {
  readonly response: LmResponse;
  readonly delayMs: number;
  readonly wordDelayMs: number;
}

async function* streamWords(
  limit: CallLimit,
  answer: Promise<Answer>,
): AsyncGenerator<LmStreamPart, void, undefined> {
  const { response, wordDelayMs } = await limit.race(answer);
  for (const [index, output] of response.outputs.entries()) {
    for (const word of toWords(output.text)) {
      yield { type: 'text-delta', index, text: word };
      await limit.race(sleep(limit.clock, wordDelayMs, limit.signal));
    }
  }
  yield { type: 'response-end', response };
}

async function findAnswer(model: string, script: Script, request: LmRequest): Promise<Answer> {
  const reply = await runScript(model, script, request);
  if (reply === undefined) throw exhausted(model, request, 'no answer');
  const {
    text,
    finishReason = 'stop',
    delayMs = 0,
    wordDelayMs = 0,
  } = typeof reply === 'string' ? { text: reply } : reply;
  const count = request.config.n ?? 1;
  const texts = typeof text === 'string' ? Array.from({ length: count }, () => text) : text;
  if (texts.length < count) throw exhausted(model, request, `only ${texts.length} of ${count} answers`);
  const outputs = texts.slice(0, count).map((one): LmOutput => ({ text: one, finishReason }));
  return { response: { model, outputs, usage: countWords(request, outputs) }, delayMs, wordDelayMs };
}

async function runScript(
  model: string,
  script: Script,
  request: LmRequest,
): Promise<string | ScriptedReply | undefined> {
  let reply: unknown;
  try {
    reply = await script(request);
  } catch (thrown) {
    if (isCodedError(thrown)) throw thrown;
    throw lmError('lm/script-failed', `the script threw: ${messageOf(thrown)}`, { model, cause: thrown });
  }
  if (reply === undefined || typeof reply === 'string' || isReply(reply)) return reply;
  throw lmError('lm/script-failed', 'the script answered with neither a text, nor a reply, nor undefined', {
    model,
  });
}

function isReply(value: unknown): value is ScriptedReply {
  if (typeof value !== 'object' || value === null || !('text' in value)) return false;
  const { text } = value;
  return typeof text === 'string' || (Array.isArray(text) && text.every((one) => typeof one === 'string'));
}

function exhausted(model: string, request: LmRequest, found: string): CodedError {
  const text = textOf(request.messages.at(-1));
  const prompt = text.length > shownPromptChars ? `${text.slice(0, shownPromptChars)}…` : text;
  return lmError('lm/script-exhausted', `the script has ${found} for: ${prompt}`, {
    model,
    more: { prompt },
  });
}

function textOf(message: LmMessage | undefined): string {
  if (message === undefined) return '';
  if (typeof message.content === 'string') return message.content;
  return message.content.map((part) => (part.type === 'text' ? part.text : part.url)).join('\n');
}

function countWords(request: LmRequest, outputs: readonly LmOutput[]): LmResponse['usage'] {
  const inputTokens = request.messages.reduce((sum, message) => sum + toWords(textOf(message)).length, 0);
  const outputTokens = outputs.reduce((sum, output) => sum + toWords(output.text).length, 0);
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** Words with the white space around them: joined, they are the text again. */
function toWords(text: string): readonly string[] {
  return text.match(/^\s*\S+\s*|\S+\s*|^\s+$/g) ?? [];
}
