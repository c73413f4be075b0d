/** Where a message or a call came from: what a worker says of itself in it proves nothing. */

/** The worker that a message or a call came from, as the page knows it. */
export interface MessageSource {
  readonly worker: string;
  /** Where an actor has its place now, running or starting. */
  whereIs(actor: string): 'here' | 'elsewhere' | 'nowhere';
  /** Counts what no honest worker sends; too much of it ends the worker with `protocol-violated`. */
  violate(reason: string): void;
}
