/** What a module's record keeps of the instances before: the way back, and what the store may still hold of them. */
import type { ModuleState, ParameterDescription } from '../../program/index.ts';
import type { Write } from '../../state/index.ts';
import type { PreviousVersion, Taken } from '../module-protocol.ts';

/** Another instance of the module has taken over, of this or another version. */
export interface Succession {
  readonly state: ModuleState;
  readonly descriptions: readonly ParameterDescription[];
  readonly taken: Taken;
  /** The file that the class before was from; undefined for what is served. */
  readonly previousUrl: string | undefined;
  readonly atMs: number;
  readonly sequence: number | undefined;
}

export class SuccessionLog {
  readonly #module: string;
  /** Parameters of versions before, which the store may still hold. */
  readonly #gone = new Set<string>();
  #previous: PreviousVersion | undefined;
  #count = 0;
  #written = 0;

  constructor(module: string) {
    this.#module = module;
  }

  /** What the version before left behind, if the module ever changed its version. */
  get previous(): PreviousVersion | undefined {
    return this.#previous;
  }

  get count(): number {
    return this.#count;
  }

  /** The store may still hold an instance before: parts of this one must not be written over it. */
  get isUnwritten(): boolean {
    return this.#written < this.#count;
  }

  get key(): readonly string[] {
    return ['module', this.#module, 'previous'];
  }

  /** What the store held. */
  reopen(previous: PreviousVersion | undefined): void {
    this.#previous = previous;
  }

  /** @param before the state that is left behind @param names its parameters that the new instance lacks */
  add(
    before: ModuleState | undefined,
    { state, taken, previousUrl }: Succession,
    names: readonly string[],
  ): void {
    const { from, same } = taken;
    // the same version with other code, as while it is edited, leaves the way back as it is
    if (before && from !== state.version)
      this.#previous = { version: from, url: previousUrl, state: before, same };
    for (const name of names) this.#gone.add(name);
    this.#count += 1;
  }

  /** What else belongs to the commit of a succession; `has` says which parameters there are now. */
  writes(has: (name: string) => boolean): readonly Write[] {
    const gone = [...this.#gone].filter((name) => !has(name));
    const dropped = gone.flatMap((name): Write[] =>
      ['parameter', 'history'].map((part) => ({ type: 'delete', key: ['module', this.#module, part, name] })),
    );
    return this.#previous ? [{ type: 'put', key: this.key, value: this.#previous }, ...dropped] : dropped;
  }

  /** What was the last succession when there had been `count` is in the store. */
  settle(count: number): void {
    this.#written = Math.max(this.#written, count);
    if (!this.isUnwritten) this.#gone.clear();
  }
}
