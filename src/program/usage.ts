/** Tokens that a call and the calls inside it used, by model. */
import { addUsage, noUsage } from '../lm/index.ts';
import type { LmUsage } from '../lm/index.ts';
import { programLimits } from './limits.ts';
import type { UsageByModel } from './prediction.ts';

export class Usage {
  readonly #parent: Usage | undefined;
  /** Most calls use none. */
  #byModel: Map<string, LmUsage> | undefined;
  #calls = 0;

  constructor(parent?: Usage) {
    this.#parent = parent;
  }

  /** Language-model calls that were answered. */
  get calls(): number {
    return this.#calls;
  }

  get total(): LmUsage {
    return [...(this.#byModel?.values() ?? [])].reduce(addUsage, noUsage);
  }

  get byModel(): UsageByModel {
    return Object.fromEntries(this.#byModel ?? []);
  }

  /** Counts here and in every call around this one. Beyond 100 models the rest is counted under `other`. */
  add(model: string, usage: LmUsage): void {
    const byModel = (this.#byModel ??= new Map());
    const isNew = !byModel.has(model);
    const key = isNew && byModel.size >= programLimits.usageModels ? 'other' : model;
    byModel.set(key, addUsage(byModel.get(key) ?? noUsage, usage));
    this.#calls += 1;
    this.#parent?.add(model, usage);
  }
}
