/** One question to a language model: inputs and worked examples become messages, the answer becomes typed fields. */
import { CodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import type { LanguageModel, LmConfig } from '../../lm/index.ts';
import type { Demo } from '../adapter/adapter.ts';
import { ChatAdapter } from '../adapter/chat.ts';
import { isFieldRecord, plainOf } from '../field-record.ts';
import type { DemoLike, Fields } from '../field-record.ts';
import { giveBrand, hasBrand, predictorBrand } from '../kind.ts';
import { Module } from '../module.ts';
import { parseSignature } from '../parse-signature.ts';
import { Prediction } from '../prediction.ts';
import type { Run } from '../run.ts';
import { isSignature } from '../signature.ts';
import type { Signature } from '../signature.ts';
import type { InputsOf, OutputsOf } from '../signature-types.ts';
import { unwrap } from '../view.ts';
import { askModel } from './ask-model.ts';
import type { Predictor } from './predictor.ts';
import { parsePredictorState } from './predictor-state.ts';
import type { PredictorState } from './predictor-state.ts';

/** The inputs that a predictor of this signature takes. */
export type InputsOfSignature<S> = S extends string
  ? InputsOf<S>
  : S extends Signature<infer Inputs>
    ? Inputs
    : never;
/** The outputs that a predictor of this signature gives. */
export type OutputsOfSignature<S> = S extends string
  ? OutputsOf<S>
  : S extends Signature<infer _Inputs, infer Outputs>
    ? Outputs
    : never;

/** Text such as `question -> answer: int`, or a signature. */
export type SignatureLike = string | Signature<never, never> | Signature;

export function toSignature(signature: string | Signature): Signature {
  if (typeof signature === 'string') return parseSignature(signature) as Signature;
  if (isSignature(signature)) return signature;
  throw new CodedError(
    'program/signature-invalid',
    `a signature is ${typeof signature}, expected text or a signature`,
    {
      fields: { expected: 'text or a signature' },
    },
  );
}

export class Predict<S extends SignatureLike = string> extends Module<
  InputsOfSignature<S>,
  Prediction<OutputsOfSignature<S>>
> {
  static {
    giveBrand(this.prototype, predictorBrand);
  }

  signature: Signature;
  /** Sent with every call; the call's own `config` goes over it. Not part of DSPy's saved files. */
  config: LmConfig;
  /** Goes before the inherited language model, and behind the one given for a call. */
  lm: LanguageModel | undefined = undefined;
  demos: readonly DemoLike[] = [];
  /** Kept for optimizers, as in DSPy. */
  traces: readonly unknown[] = [];
  /** Kept for optimizers, as in DSPy. */
  trainset: readonly unknown[] = [];
  /** How a loaded file described its language model; written again on save. */
  lmState: JsonObject | null = null;

  /** @throws `program/signature-invalid` with the place and what was expected there */
  constructor(signature: S, config: LmConfig = {}) {
    super();
    this.signature = toSignature(signature as string | Signature);
    this.config = { ...config };
  }

  /**
   * @throws `program/lm-missing`, `program/lm-invalid`, `program/input-invalid`, `program/adapter-parse-failed`, and what the
   * language model throws
   */
  override async forward(input: InputsOfSignature<S>, run: Run): Promise<Prediction<OutputsOfSignature<S>>> {
    const self = unwrap(this);
    const { options } = run;
    const signature = options.signature ?? self.signature;
    const inputs = checkedInputs(input, signature, run);
    const path = run.path === '' ? 'self' : run.path;
    const completions = await askModel(
      {
        lm: modelFor(self.lm, run),
        adapter: run.settings.adapter ?? new ChatAdapter(),
        signature,
        config: { ...self.config, ...options.config },
        demos: (options.demos ?? self.demos).map((demo) => plainOf(demo) as Demo),
        inputs,
        path,
      },
      run,
    );
    const prediction = Prediction.fromCompletions(completions);
    if (options.isTraced !== false) run.trace?.add({ path, predictor: self, inputs, prediction });
    return prediction as Prediction<OutputsOfSignature<S>>;
  }

  /** Forgets demos, traces and language model; signature and config stay, as in DSPy. */
  reset(): void {
    this.lm = undefined;
    this.lmState = null;
    this.demos = [];
    this.traces = [];
    this.trainset = [];
  }

  /** What it has learned, as data. */
  dumpPredictor(): PredictorState {
    return {
      traces: this.traces.map((item) => plainOf(item)),
      train: this.trainset.map((item) => plainOf(item)),
      demos: this.demos.map((demo) => plainOf(demo) as Demo),
      signature: this.signature.dumpState(),
      lm: this.lmState,
      config: this.config,
    };
  }

  /** Checks a state and returns the function that applies it and cannot fail. @throws `program/state-invalid` */
  preparePredictor(value: unknown): () => void {
    const state = parsePredictorState(value, this.signature);
    const signature = this.signature.loadState(state.signature);
    return () => {
      this.signature = signature;
      this.demos = state.demos;
      this.traces = state.traces;
      this.trainset = state.train;
      this.lmState = state.lm;
      if (state.config) this.config = state.config;
    };
  }
}

/** True for predictors of this or another copy of the library, and for views of them. */
export function isPredictor(value: unknown): value is Predictor {
  return hasBrand(value, predictorBrand);
}

function checkedInputs(input: unknown, signature: Signature, run: Run): Fields {
  const given: unknown = isFieldRecord(input) ? input.fields : input;
  const expected = signature.inputFields.map((field) => field.name);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new CodedError(
      'program/input-invalid',
      `the input is ${given === null ? 'null' : Array.isArray(given) ? 'a list' : typeof given}, expected an object with ${expected.join(', ') || 'no fields'}`,
      { fields: { expected } },
    );
  }
  const inputs = { ...given } as Fields;
  const extra = Object.keys(inputs).filter((name) => !expected.includes(name));
  const missing = expected.filter((name) => inputs[name] === undefined);
  if (extra.length > 0)
    run.note(`ignored inputs that the signature does not have: ${extra.join(', ')}`, { extra, expected });
  if (missing.length > 0) run.note(`inputs are missing: ${missing.join(', ')}`, { missing, expected });
  return inputs;
}

function modelFor(own: LanguageModel | undefined, run: Run): LanguageModel {
  const lm: unknown = run.options.lm ?? own ?? run.settings.lm;
  if (lm === undefined || lm === null) {
    throw new CodedError(
      'program/lm-missing',
      'no language model was given. Pass one with the call, program.call(input, { lm }), or set a default with configure({ lm })',
      { fields: { path: run.path } },
    );
  }
  if (typeof lm === 'object' && 'generate' in lm && typeof lm.generate === 'function')
    return lm as LanguageModel;
  const shown = typeof lm === 'string' ? `the text "${lm.slice(0, 80)}"` : typeof lm;
  throw new CodedError(
    'program/lm-invalid',
    `the language model is ${shown}, expected an object with generate and stream`,
    {
      fields: { path: run.path, value: shown },
    },
  );
}
