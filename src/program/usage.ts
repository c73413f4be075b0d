/** Tokens that a call and the calls inside it used, by model. */
import type { LmUsage } from '../lm/index.ts';
import { programLimits } from './limits.ts';
import type { UsageByModel } from './prediction.ts';

const none: LmUsage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

function sum(left: LmUsage, right: LmUsage): LmUsage {
  return {
    inputTokens: left.inputTokens + right.inputTokens,
    outputTokens: left.outputTokens + right.outputTokens,
    totalTokens: left.totalTokens + right.totalTokens,
  };
}

export class Usage {
  readonly #parent: Usage | undefined;
  readonly #byModel = new Map<string, LmUsage>();
  #calls = 0;

  constructor(parent?: Usage) {
    this.#parent = parent;
  }

  /** Language-model calls that were answered. */
  get calls(): number {
    return this.#calls;
  }

  get total(): LmUsage {
    return [...this.#byModel.values()].reduce(sum, none);
  }

  get byModel(): UsageByModel {
    return Object.fromEntries(this.#byModel);
  }

  /** Counts here and in every call around this one. Beyond 100 models the rest is counted under `other`. */
  add(model: string, usage: LmUsage): void {
    const isNew = !this.#byModel.has(model);
    const key = isNew && this.#byModel.size >= programLimits.usageModels ? 'other' : model;
    this.#byModel.set(key, sum(this.#byModel.get(key) ?? none, usage));
    this.#calls += 1;
    this.#parent?.add(model, usage);
  }
}
