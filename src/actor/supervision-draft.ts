/** A decision while it is made. */
import type {
  Answer,
  ChildState,
  Decision,
  SupervisionEffect,
  SupervisionState,
} from './supervision-state.ts';

/** Replaces the state piece by piece and collects effects; the state that it began with stays as it was. */
export class Draft {
  state: SupervisionState;
  readonly nowSeconds: number;
  readonly #effects: SupervisionEffect[] = [];
  #owned: ChildState[] | undefined;

  constructor(state: SupervisionState, nowSeconds: number) {
    this.state = state;
    this.nowSeconds = nowSeconds;
  }

  get decision(): Decision {
    return [this.state, this.#effects];
  }

  order(effect: SupervisionEffect): void {
    this.#effects.push(effect);
  }

  reply(request: number | undefined, answer: Answer): void {
    if (request !== undefined) this.order({ type: 'reply', request, answer });
  }

  set(change: Partial<SupervisionState>): void {
    this.state = { ...this.state, ...change };
  }

  child(id: string): ChildState | undefined {
    return this.state.children[this.#indexOf(id)];
  }

  /** Replaces the child of this id. */
  put(child: ChildState): void {
    this.#own()[this.#indexOf(child.id)] = child;
  }

  setStatus(child: ChildState, status: ChildState['status']): void {
    const { id, type, restart, isSignificant, run } = child;
    this.put({ id, type, restart, isSignificant, run, status });
  }

  add(child: ChildState): void {
    this.#own().push(child);
  }

  forget(id: string): void {
    this.#own().splice(this.#indexOf(id), 1);
    this.order({ type: 'forget', id });
  }

  #indexOf(id: string): number {
    return this.state.children.findIndex((child) => child.id === id);
  }

  /** One copy for all changes of one decision: there may be thousands of children. */
  #own(): ChildState[] {
    this.#owned ??= [...this.state.children];
    if (this.state.children !== this.#owned) this.set({ children: this.#owned });
    return this.#owned;
  }
}
