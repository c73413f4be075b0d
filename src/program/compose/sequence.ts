/** One module after the other, each taking what the one before gave. */
import { isModule, Module } from '../module.ts';
import type { InputOf, OutputOf } from '../module.ts';
import { assertParts } from './options.ts';

type Steps = readonly [Module, ...Module[]];
type LastOf<S extends Steps> = S extends readonly [...unknown[], infer Last] ? Last : never;

/** The steps when each takes what the one before gives; else what is wrong, in words. */
export type Fitting<S extends readonly unknown[], Before> = S extends readonly [infer Step, ...infer Rest]
  ? readonly [
      [Before] extends [InputOf<Step>]
        ? Step
        : { readonly takes: InputOf<Step>; readonly 'but is given': Before },
      ...Fitting<Rest, OutputOf<Step>>,
    ]
  : readonly [];

/** Made by {@link sequence}. */
export class Sequence<S extends Steps> extends Module<InputOf<S[0]>, OutputOf<LastOf<S>>> {
  readonly steps: S;

  constructor(steps: S) {
    super();
    assertParts('steps', steps, isModule);
    this.steps = steps;
  }

  override async forward(input: InputOf<S[0]>): Promise<OutputOf<LastOf<S>>> {
    let value: unknown = input;
    for (const step of this.steps) value = await step.call(value as never);
    return value as OutputOf<LastOf<S>>;
  }
}

/**
 * A module that runs the steps in order; the first failure ends it. The steps are called `steps[0]`, `steps[1]`, …
 * @throws `program/composition-invalid` without steps, or for a step that is no module
 */
export function sequence<const S extends Steps>(steps: S & Fitting<S, InputOf<S[0]>>): Sequence<S> {
  return new Sequence<S>(steps);
}
