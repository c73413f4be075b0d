/** The call path of a predictor: adapter, language model, adapter. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { LanguageModel, LmConfig, LmHistoryEntry, LmRequest, LmResponse } from '../../lm/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { Adapter, Demo } from '../adapter/adapter.ts';
import type { Fields } from '../field-record.ts';
import { programLimits } from '../limits.ts';
import { noteLmCall } from '../lm-history.ts';
import { callersOf } from '../run.ts';
import type { Run } from '../run.ts';
import type { Signature } from '../signature.ts';

export interface Question {
  readonly lm: LanguageModel;
  readonly adapter: Adapter;
  readonly signature: Signature;
  readonly config: LmConfig;
  readonly demos: readonly Demo[];
  readonly inputs: Fields;
  /** Where the predictor is in the program, for deltas. */
  readonly path: string;
}

/** One record for each answer. @throws `program/adapter-parse-failed`, and what the language model throws */
export async function askModel(question: Question, run: Run): Promise<readonly Fields[]> {
  const { lm, adapter, signature, demos, inputs } = question;
  const messages = adapter.format(signature, demos, inputs);
  const request: LmRequest = { messages, config: withTemperature(question.config) };
  const { onDelta } = run.settings;
  const response = onDelta
    ? await streamed(question, request, run, onDelta)
    : await lm.generate(request, { signal: run.signal, span: run.span });
  run.usage.add(lm.model, response.usage);
  remember(run, { model: lm.model, request, response });
  if (response.outputs.length === 0) {
    throw new CodedError('program/adapter-parse-failed', `${lm.model} gave no answer`, {
      fields: { model: lm.model },
    });
  }
  return response.outputs.map((output) => parsed(question, output.text));
}

function remember(run: Run, call: Omit<LmHistoryEntry, 'atMs'>): void {
  const { clock = systemClock, historyEntries = programLimits.lmHistoryEntries } = run.settings;
  if (noteLmCall(callersOf(run), { atMs: clock.now(), ...call }, historyEntries)) return;
  run.note(`the call is too large for the history of ${programLimits.lmHistoryBytes} bytes`);
}

/** DSPy's rule: several answers at a temperature of 0.15 or less would be the same answer. */
function withTemperature(config: LmConfig): LmConfig {
  const isCold = (config.temperature ?? 0) <= 0.15;
  return isCold && (config.n ?? 1) > 1 ? { ...config, temperature: 0.7 } : config;
}

async function streamed(
  { lm, path }: Question,
  request: LmRequest,
  run: Run,
  onDelta: NonNullable<Run['settings']['onDelta']>,
): Promise<LmResponse> {
  for await (const part of lm.stream(request, { signal: run.signal, span: run.span })) {
    if (part.type === 'response-end') return part.response;
    try {
      onDelta({ path, index: part.index, text: part.text });
    } catch (error) {
      run.note(`onDelta threw: ${messageOf(error)}`);
    }
  }
  throw new CodedError('program/stream-incomplete', `the stream of ${lm.model} ended without a response`, {
    fields: { model: lm.model },
    isRetryable: true,
  });
}

function parsed({ adapter, signature }: Question, completion: string): Fields {
  try {
    return adapter.parse(signature, completion);
  } catch (error) {
    if (isCodedError(error)) throw error;
    throw new CodedError(
      'program/adapter-parse-failed',
      `${adapter.name} could not read the answer: ${messageOf(error)}`,
      {
        fields: { adapter: adapter.name, completion: completion.slice(0, 2000) },
        cause: error,
      },
    );
  }
}
