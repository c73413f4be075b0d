/** What every predictor is, whatever its signature: what programs list, optimizers change and files hold. */
import type { JsonObject } from '../../base/index.ts';
import type { LanguageModel, LmConfig } from '../../lm/index.ts';
import type { DemoLike, Fields } from '../field-record.ts';
import type { Module } from '../module.ts';
import type { PredictionRecord } from '../prediction.ts';
import type { Signature } from '../signature.ts';
import type { PredictorState } from './predictor-state.ts';

export interface Predictor extends Module<Fields, PredictionRecord<Fields>> {
  signature: Signature;
  /** Sent with every call; the call's own `config` goes over it. Not part of DSPy's saved files. */
  config: LmConfig;
  /** Goes before the inherited language model, and behind the one given for a call. */
  lm: LanguageModel | undefined;
  demos: readonly DemoLike[];
  /** Kept for optimizers, as in DSPy. */
  traces: readonly unknown[];
  /** Kept for optimizers; DSPy calls it `train`. */
  trainset: readonly unknown[];
  /** How a loaded file described its language model; written again on save. */
  lmState: JsonObject | null;
  /** Forgets demos, traces and language model; signature and config stay, as in DSPy. */
  reset(): void;
  /** What it has learned, as data. */
  dumpPredictor(): PredictorState;
  /** Checks a state and returns the function that applies it and cannot fail. @throws `program/state-invalid` */
  preparePredictor(value: unknown): () => void;
}
