/** The far side of the hop tests: a program behind a message port, given a run by its wire form. */
import { isCodedError, messageOf } from '../base/index.ts';
import { scriptedLm } from '../lm/index.ts';
import { sleep, systemClock } from '../platform/index.ts';
import type { LanguageModel } from '../lm/index.ts';
import { continueRun } from './continue-run.ts';
import { Module } from './module.ts';
import { Predict } from './predict/predict.ts';
import type { Run } from './run.ts';

export interface HopRequest {
  readonly id: number;
  readonly wire: unknown;
  readonly delayMs: number;
}

export interface HopReply {
  readonly id: number;
  readonly answer?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly depth?: number;
  readonly remainingMs?: number | undefined;
  readonly tracePaths?: readonly string[];
  readonly error?: string;
}

/** Answers with the values that its run carried over. */
class FarSide extends Module<{ delayMs: number }, HopReply> {
  readonly ask = new Predict('q -> a');
  override async forward({ delayMs }: { delayMs: number }, run: Run): Promise<HopReply> {
    await sleep(systemClock, delayMs);
    const { a } = await this.ask.call({ q: '' });
    return {
      id: Number(run.settings.values?.id),
      answer: a,
      traceId: run.span.traceId,
      spanId: run.span.spanId,
      depth: run.depth,
      remainingMs: run.deadline?.remainingMs(),
      tracePaths: (run.trace?.entries ?? []).map((entry) => entry.path),
    };
  }
}

const farSide = new FarSide();

/** A model made on this side from what crossed: language models themselves never cross. */
function modelFor(wire: unknown): LanguageModel {
  const { values } = wire as { values: { id: number } };
  return scriptedLm({ script: () => `[[ ## a ## ]]\nfar ${values.id}` });
}

export async function answerHop({ id, wire, delayMs }: HopRequest): Promise<HopReply> {
  try {
    return await continueRun(wire, { lm: modelFor(wire) }, (run) => farSide.call({ delayMs }, run));
  } catch (error) {
    return { id, error: isCodedError(error) ? error.code : messageOf(error) };
  }
}
