/**
 * The order of one store's commits: what was asked for first is sent first, also when it had to wait, or was refused because a claim
 * had moved and is sent again. While nothing of that happens, nobody waits.
 */

/** A commit that has not ended. */
export interface LinePlace {
  /** The claim's revision that it was sent under; undefined while it waits, or is to be sent again. */
  sentUnder: number | undefined;
  /** Set while it waits for those before it. */
  wake: (() => void) | undefined;
}

export class CommitLine {
  readonly #places = new Set<LinePlace>();
  /** False while every place was sent under the claim's revision that is known: then there is nothing to look for. */
  #isDelayed = false;
  #revision = 0;

  /** A place behind all others; it must be left. */
  join(): LinePlace {
    const place: LinePlace = { sentUnder: undefined, wake: undefined };
    this.#places.add(place);
    return place;
  }

  leave(place: LinePlace): void {
    this.#places.delete(place);
    this.#wakeNext();
  }

  /** Whether all before it were sent under the claim's revision as it is known now: they and it fare alike. */
  isNext(place: LinePlace): boolean {
    return !this.#isDelayed || this.#firstDelayed() === place;
  }

  /** Resolves when it may be {@link isNext}. */
  async untilNext(place: LinePlace): Promise<void> {
    if (this.isNext(place)) return;
    await new Promise<void>((resolve) => (place.wake = resolve));
  }

  /** Those behind it wait for it. */
  delay(place: LinePlace): void {
    place.sentUnder = undefined;
    this.#isDelayed = true;
  }

  sent(place: LinePlace): void {
    place.sentUnder = this.#revision;
    this.#wakeNext();
  }

  /** The claim has moved: what was sent before may be refused. */
  claimMoved(revision: number): void {
    this.#revision = revision;
    this.#isDelayed = this.#places.size > 0;
    this.#wakeNext();
  }

  #firstDelayed(): LinePlace | undefined {
    for (const place of this.#places) if (place.sentUnder !== this.#revision) return place;
    return undefined;
  }

  #wakeNext(): void {
    if (!this.#isDelayed) return;
    const first = this.#firstDelayed();
    if (!first) this.#isDelayed = false;
    const { wake } = first ?? {};
    if (first) first.wake = undefined;
    wake?.();
  }
}
