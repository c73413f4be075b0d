/**
 * Bytes of which every worker gets a copy of its own, so that none can change what another one starts from. A copy is given away whole, which
 * costs nothing, and made while nobody waits for it.
 */
export class Copies {
  readonly #content: ArrayBuffer;
  #spare: ArrayBuffer | undefined;

  constructor(content: ArrayBuffer) {
    this.#content = content;
  }

  /** One for the caller to give away. */
  take(): ArrayBuffer {
    const copy = this.#spare ?? this.#content.slice(0);
    this.#spare = undefined;
    return copy;
  }

  /** Makes the next one now, unless it is there. */
  prepare(): void {
    this.#spare ??= this.#content.slice(0);
  }
}
