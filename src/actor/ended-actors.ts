/** Which actors a worker had: what they asked for before they ended may come after it, and is no offence. */

/** What a worker sends is on its way for moments: nobody starts and stops as many meanwhile. */
export const maxEndedActors: number = 1_000;

/** The last ones that ended; older ones are forgotten. */
export class EndedActors {
  readonly #known = new Set<string>();

  add(actor: string, incarnation: number): void {
    const key = keyOf(actor, incarnation);
    this.#known.delete(key);
    this.#known.add(key);
    if (this.#known.size <= maxEndedActors) return;
    const [oldest] = this.#known;
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  has(actor: string, incarnation: number): boolean {
    return this.#known.has(keyOf(actor, incarnation));
  }
}

const keyOf = (actor: string, incarnation: number): string => `${incarnation} ${actor}`;
