/** Where a message or a call came from: what a worker says of itself in it proves nothing. */

/** The worker that a message or a call came from, as the page knows it. */
export interface MessageSource {
  readonly worker: string;
  /**
   * Where an actor has its place now, running or starting.
   * @param incarnation the start of it that is meant; without it any. `over`: this one had its place here, and has ended. The worker's
   *   last 1,000 are remembered
   */
  whereIs(actor: string, incarnation?: number): 'here' | 'over' | 'elsewhere' | 'nowhere';
  /** Counts what no honest worker sends; too much of it ends the worker with `protocol-violated`. */
  violate(reason: string): void;
}
