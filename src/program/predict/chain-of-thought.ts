/** Reason first, then answer: a predictor whose signature has one more output, `reasoning`, before the others. */
import type { LmConfig } from '../../lm/index.ts';
import { Module } from '../module.ts';
import type { Prediction } from '../prediction.ts';
import type { Run } from '../run.ts';
import type { Signature } from '../signature.ts';
import { Predict, toSignature } from './predict.ts';
import type { InputsOfSignature, OutputsOfSignature, SignatureLike } from './predict.ts';

/** The outputs of a signature with the reasoning before them. */
export type WithReasoning<Outputs> = { reasoning: string } & Outputs;

type Reasoned<S> = Signature<InputsOfSignature<S>, WithReasoning<OutputsOfSignature<S>>>;

export class ChainOfThought<S extends SignatureLike = string> extends Module<
  InputsOfSignature<S>,
  Prediction<WithReasoning<OutputsOfSignature<S>>>
> {
  readonly predict: Predict<Reasoned<S>>;

  /** @throws `program/signature-invalid` with the place and what was expected there */
  constructor(signature: S, config: LmConfig = {}) {
    super();
    const plain = toSignature(signature as string | Signature);
    const reasoned = plain.prepend('reasoning', { kind: 'output', description: '${reasoning}' });
    this.predict = new Predict(reasoned as unknown as Reasoned<S>, config);
  }

  /** Options for this call alone go on to the predictor. @throws as {@link Predict.forward} */
  override forward(
    input: InputsOfSignature<S>,
    run: Run,
  ): Promise<Prediction<WithReasoning<OutputsOfSignature<S>>>> {
    const answer = this.predict.call(input as never, run.options) as Promise<unknown>;
    return answer as Promise<Prediction<WithReasoning<OutputsOfSignature<S>>>>;
  }
}
