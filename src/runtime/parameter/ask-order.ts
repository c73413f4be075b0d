/** The order in which the page asks one owner for changes: one that it is asked for once more must not undo what it was asked for later. */

export class AskOrder {
  #last = 0;
  /** Changes that the page has taken over, and that the owner may not have: their parameters by their numbers. */
  readonly #open = new Map<number, ReadonlySet<string>>();
  /** The newest change of each parameter that the page has taken over, while older ones are open. */
  readonly #newest = new Map<string, number>();

  /** The number of a change that the page takes over now. Until {@link close} it is open. */
  open(names: readonly string[]): number {
    const order = ++this.#last;
    this.#open.set(order, new Set(names));
    for (const name of names) this.#newest.set(name, order);
    return order;
  }

  /** The owner has it, or is over. */
  close(order: number): void {
    this.#open.delete(order);
    if (this.#open.size === 0) this.#newest.clear();
  }

  /** The number of what the owner is asked for now; undefined when nothing older can come behind it. */
  next(): number | undefined {
    return this.#open.size === 0 ? undefined : ++this.#last;
  }

  /** Whether the owner may not have what the page has of a parameter. */
  isOpen(name: string): boolean {
    return [...this.#open.values()].some((names) => names.has(name));
  }

  /** Whether the page has taken a later change of a parameter over than the open one with the number `order`. */
  isOutdated(name: string, order: number): boolean {
    return (this.#newest.get(name) ?? 0) > order;
  }
}
