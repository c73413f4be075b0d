/** Chat completions as servers send them, read with suspicion: nothing about their shape is taken on trust. */
import type { CodedError } from '../../base/index.ts';
import { lmError } from '../error.ts';
import type { LmOutput, LmResponse, LmUsage } from '../message.ts';
import type { Redact } from '../redact.ts';
import { noUsage } from '../usage.ts';
import { toStreamedError } from './openai-error.ts';

/** Answers beyond this index are not read. */
const maxChoices = 128;

/** What the reader knows about where the text came from. */
export interface ReadContext {
  readonly model: string;
  readonly redact: Redact;
}

/** One piece of a stream. */
export interface ChatChunk {
  readonly model: string | undefined;
  readonly id: string | undefined;
  readonly usage: LmUsage | undefined;
  readonly pieces: readonly ChatPiece[];
}

export interface ChatPiece {
  readonly index: number;
  readonly text: string;
  readonly finishReason: string | null;
}

/** Errors: `lm/response-invalid` with the field that is wrong, or the error that the server put in its place. */
export function readCompletion(context: ReadContext, text: string): LmResponse {
  const chunk = readChoices(context, parse(context, text), 'message');
  if (chunk.pieces.length === 0) throw invalid(context, 'choices', 'at least one choice');
  const ordered = chunk.pieces.toSorted((a, b) => a.index - b.index);
  if (new Set(ordered.map((piece) => piece.index)).size < ordered.length) {
    throw invalid(context, 'choices', 'a different index for each choice');
  }
  const outputs = ordered.map(({ text: answer, finishReason }): LmOutput => ({ text: answer, finishReason }));
  return toResponse(context, chunk, outputs);
}

/** One `data:` line of a stream. */
export function readChunk(context: ReadContext, data: string): ChatChunk {
  return readChoices(context, parse(context, data), 'delta');
}

export function toResponse(
  context: ReadContext,
  source: Pick<ChatChunk, 'model' | 'id' | 'usage'>,
  outputs: readonly LmOutput[],
): LmResponse {
  return {
    model: source.model ?? context.model,
    outputs,
    usage: source.usage ?? noUsage,
    ...(source.id === undefined ? {} : { responseId: source.id }),
  };
}

export function invalid(context: ReadContext, field: string, expected: string, reason?: string): CodedError {
  return lmError(
    'lm/response-invalid',
    `the answer is not a chat completion: ${field} should be ${expected}`,
    {
      model: context.model,
      reason: reason ?? 'wrong-shape',
      more: { field, expected },
    },
  );
}

const shownChars = 120;

function parse(context: ReadContext, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const begin = context.redact(text).slice(0, shownChars);
    throw lmError('lm/response-invalid', `the answer is not JSON; it begins with ${JSON.stringify(begin)}`, {
      model: context.model,
      reason: 'not-json',
      more: { begin },
    });
  }
  if (!isObject(value)) throw invalid(context, 'body', 'an object');
  if (value['error'] !== undefined && value['error'] !== null) {
    throw toStreamedError(context.model, value['error'], context.redact);
  }
  return value;
}

function readChoices(
  context: ReadContext,
  body: Record<string, unknown>,
  member: 'message' | 'delta',
): ChatChunk {
  const { choices, model, id, usage } = body;
  if (!Array.isArray(choices)) throw invalid(context, 'choices', 'a list');
  if (choices.length > maxChoices) throw invalid(context, 'choices', `at most ${maxChoices} choices`);
  return {
    model: typeof model === 'string' && model !== '' ? model : undefined,
    id: typeof id === 'string' && id !== '' ? id : undefined,
    usage: isObject(usage) ? readUsage(usage) : undefined,
    pieces: choices.map((choice: unknown, at) => readPiece(context, choice, { at, member })),
  };
}

function readPiece(
  context: ReadContext,
  choice: unknown,
  { at, member }: { readonly at: number; readonly member: 'message' | 'delta' },
): ChatPiece {
  const path = `choices[${at}]`;
  if (!isObject(choice)) throw invalid(context, path, 'an object');
  const { index = at, finish_reason: finishReason = null } = choice;
  if (!Number.isInteger(index) || Number(index) < 0 || Number(index) >= maxChoices) {
    throw invalid(context, `${path}.index`, `an integer from 0 to ${maxChoices - 1}`);
  }
  if (finishReason !== null && typeof finishReason !== 'string') {
    throw invalid(context, `${path}.finish_reason`, 'a text or null');
  }
  const holder = choice[member] ?? (member === 'delta' ? {} : undefined);
  if (!isObject(holder)) throw invalid(context, `${path}.${member}`, 'an object');
  return { index: Number(index), finishReason, text: readText(context, holder, `${path}.${member}`) };
}

function readText(context: ReadContext, holder: Record<string, unknown>, path: string): string {
  const content = holder['content'] ?? holder['refusal'] ?? '';
  if (typeof content !== 'string') throw invalid(context, `${path}.content`, 'a text or null');
  return content;
}

function readUsage(usage: Record<string, unknown>): LmUsage {
  const inputTokens = toCount(usage['prompt_tokens']);
  const outputTokens = toCount(usage['completion_tokens']);
  return {
    inputTokens,
    outputTokens,
    totalTokens: toCount(usage['total_tokens']) || inputTokens + outputTokens,
  };
}

/** Counts are for people's bills: a wrong one becomes 0, never a reason to lose the answer. */
function toCount(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
