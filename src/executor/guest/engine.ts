/** What a language brings into its worker. Ports, budgets, output and interrupts are `guest-runner.ts`'s, for every language the same. */
import type { LostName } from '../outcome.ts';
import type { GuestBoot, OutputBound } from '../sandbox/protocol.ts';
import type { SaveBounds } from '../sandbox/session-protocol.ts';
import type { GuestTools } from './tool-port.ts';

/** One run as the engine gets it. */
export interface EngineRun {
  /** A `RunRequest` as JSON in UTF-8; checked on the page. */
  readonly request: Uint8Array;
  /** The buffers that the request's values name. */
  readonly buffers: readonly Uint8Array[];
  /** For an engine that keeps time itself. */
  readonly timeoutMs: number;
  /** Whether it may call tools of the page. */
  readonly hasTools: boolean;
}

/** What a session is made of, put aside. Texts are cut to 200 characters. */
export interface SavedState {
  /** As many as the language likes, always the same number; `null`: as it was when last put aside. */
  readonly parts: readonly (ArrayBuffer | null)[];
  readonly names: readonly string[];
  readonly lost: readonly LostName[];
}

/**
 * An interpreter in its worker. It runs one thing at a time.
 *
 * While it runs it must look at the flag in `boot.interrupt` often (`isInterrupted` in `interrupt-flag.ts`), and end the run when it is raised;
 * what the run then answers does not matter. One that cannot is ended with its worker.
 */
export interface Engine {
  /** What a run throws that was asked to stop before it began, in the language's own words: `KeyboardInterrupt`. */
  readonly interruptName: string;
  /**
   * Answers a result as JSON text, as `sandbox/run-result.ts` reads it. The guest's failures are results; throwing, or rejecting, says that
   * nothing more can run here, and ends the worker.
   */
  run(run: EngineRun): string | PromiseLike<string>;
  /** Ends the run that waits for something, and so does not look at the flag. Without it such a run ends with its worker. */
  stop?(): void;
  /** Prints what the language has gathered itself; called soon after it said so by {@link GuestOutput.watch}, if the run waits then. */
  flush?(): void;
  /** Between runs: what earlier ones left must be gone when the next one starts. Needed where the language is `isRenewable`. */
  renew?(): void;
  /**
   * Between runs: puts aside what they have left. `later`: it would take long, and should be asked for again with `isIdle`; `undefined`: it
   * cannot be done. Throwing says that nothing more can run here. Needed where the language is `isRestorable`.
   */
  save?(bounds: SaveBounds, isIdle: boolean): SavedState | 'later' | undefined;
  /** After a run: true where what {@link save} answered last still holds all of it, as far as that can be told at once. */
  isSame?(): boolean;
  /** Before the first run: makes this interpreter what the other one was; answers what did not come back. Throwing, or rejecting, ends the worker. */
  restore?(parts: readonly Uint8Array[]): readonly LostName[] | PromiseLike<readonly LostName[]>;
}

/** What an engine may say beside its results. Bounded here, whatever the guest does with it; nothing is heard outside a run. */
export interface GuestOutput {
  /** Prints. What is no text is dropped. */
  emit(stream: 'stdout' | 'stderr', text: unknown): void;
  /** Prints a long text, as UTF-8. What is none is marked. */
  emitBytes(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
  /** The language has gathered text itself, for which it is to be asked soon by {@link Engine.flush}. */
  watch(): void;
  /** Prints bytes that the language's own streams have not seen. */
  writeRaw(stream: 'stdout' | 'stderr', bytes: Uint8Array): void;
  /** Shows a rich value: a MIME bundle as JSON text. What is no text is dropped. False when it was too much: the page ends the run. */
  display(bundle: unknown): boolean;
  readonly tools: GuestTools;
  /** The run has printed or shown more than it may: what follows is dropped, and the page ends the run. */
  exceed(bound: OutputBound): void;
  /** Copies bytes out; the answer is their number in the result. Throws when the run may bring no more back. */
  keep(bytes: Uint8Array): number;
  /** This run ends with an interpreter that has run nothing: what earlier ones left is gone. */
  loseState(): void;
  /** The interpreter cannot go on: the worker will be ended. @param reason `stack` where the guest has spent the interpreter's own */
  die(error: unknown, reason?: 'stack'): void;
}

/** Makes the engine from what the page handed over. Rejecting says that the worker did not start. */
export type StartEngine = (boot: GuestBoot, output: GuestOutput) => Promise<Engine>;

/** Starts an interpreter, takes its memory, and answers it as bytes that only the language's own guest understands. Nothing is run in it. */
export type MakeSnapshot = (boot: GuestBoot) => Promise<ArrayBuffer>;
