/**
 * What the worker and the code of ours inside the interpreter know of each other. That code is handed over as the text of functions, so none of
 * them uses anything from outside itself but the language. It is speed and manners, not a wall: a guest that changes `Array.prototype` fools only
 * itself, and what leaves is read by the page as hostile.
 */

/** Functions of the worker, given to the harness. Most texts go as JSON: a bare one would end at its first null character. */
export interface HarnessHost {
  emit(stream: 0 | 1, text: string): void;
  emitJson(stream: 0 | 1, json: string): void;
  /** Copies the bytes out; their number in the result. */
  keep(bytes: HarnessBytes): number;
  /** The run has its answer, as the text of a result; nothing of the guest's code runs any more. */
  submit(result: string): void;
  takeBytes(index: number): ArrayBuffer;
  /** As JSON. */
  takeText(index: number): string;
  startTimer(timer: number, delayMs: number): void;
  stopTimer(timer: number): void;
  /** Bytes for the next call of a tool, in order. */
  hold(bytes: HarnessBytes): void;
  /** Begins a call; its answer comes with {@link Harness.answer}. @param trace where it stands */
  startTool(call: number, name: string, text: string, trace: string): void;
  /** Waits for the answer; empty when the run was asked to stop meanwhile. Throws where no memory is shared. */
  callTool(name: string, text: string, trace: string): string;
  /** Shows a rich value. */
  show(bundle: string): void;
  /** Shows rows, each a list of names and cells. @param plain the same as text */
  showTable(rows: string, plain: string): void;
  /** @param encoding one of `TextEncodingName` */
  encodeText(json: string, encoding: string): ArrayBuffer;
  /** As JSON; empty for malformed input, where that is fatal. The last two are 0 or 1. */
  decodeText(bytes: HarnessBytes, encoding: string, isFatal: number, keepsMark: number): string;
}

/** An `ArrayBuffer` inside the interpreter, a view of its memory outside: good for the time of the call. */
export type HarnessBytes = ArrayBuffer | Uint8Array;

export interface BeginRun {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly files: readonly (readonly [path: string, content: unknown])[];
  readonly valueDepth: number;
  readonly resultBytes: number;
  readonly outputBytes: number;
  readonly fileBytes: number;
  /** Names of the parameters of each tool, where it has them. */
  readonly tools: Readonly<Record<string, readonly string[] | null>>;
  readonly toolArgumentBytes: number;
  readonly displayBytes: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string | null;
}

/** What the worker calls; every text is JSON. */
export interface Harness {
  begin(request: string): void;
  /** The text of a `returned` result. */
  finish(value: unknown, names: string, ...values: readonly unknown[]): string;
  /** Of something thrown. */
  describe(error: unknown): string;
  fire(timer: number): void;
  /** The answer to a call of a tool. */
  answer(call: number, text: string): void;
  /** Between runs: what they have left, as {@link Leavings}. */
  leavings(): string;
  /** In the memory of another interpreter, before its first run. */
  resume(): void;
  readonly files: object;
  /** Its properties are the session's variables, and cannot be assigned to. */
  readonly constants: object;
}

/** As written by {@link Harness.leavings}. */
export interface Leavings {
  /** Of global variables that are none of ours; at most 10,000. */
  readonly names: readonly string[];
  /** A name was added, or has gone, or has another value than the last time. What is changed inside of a value is not seen. */
  readonly hasChanged: boolean;
}

/** An error's `cause`, and the cause of that one, and so on. */
export interface ThrownCause {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
}

/** As written by {@link Harness.describe}. */
export interface ThrownDetail {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  /** The harness's own refusals. */
  readonly isTooLarge: boolean;
  readonly isOwn: boolean;
  /** It is an `Error`, and no other value. */
  readonly isError: boolean;
  /** The nearest ones. Left out where there are none. */
  readonly causes?: readonly ThrownCause[];
}

/** What `values.ts` gives to the others. */
export interface GuestValues {
  /** What a run may bring back, and how deep. */
  begin(valueDepth: number, resultBytes: number): void;
  decode(tree: unknown): unknown;
  /** Throws what {@link GuestValues.isOwn} or {@link GuestValues.isTooLarge} know. */
  encode(value: unknown, path: string): unknown;
  /** Another budget, and another place for bytes, for the time of `work`. */
  apart<T>(sizeBytes: number, keep: (bytes: ArrayBuffer) => number, work: () => T): T;
  /** The text of a result. */
  settle(result: unknown): string;
  /** A refusal of ours: the value cannot leave. */
  isOwn(error: unknown): boolean;
  isTooLarge(error: unknown): boolean;
  /** `map`, whatever the guest made of it. */
  mapped<T, R>(items: readonly T[], work: (item: T, index: number) => R): R[];
}

/** What `console.ts` gives to the others. */
export interface GuestConsole {
  /** More is not printed at a time. */
  begin(outputBytes: number): void;
  /** As a console shows a value. @param isNested texts have quotes */
  show(value: unknown, depth: number, isNested?: boolean): string;
  /** What an error is called. */
  typeOf(error: Error): string;
  /** As `console.log`: with placeholders. */
  print(stream: 0 | 1, values: readonly unknown[]): void;
  /** The text as it is, and the end of a line. */
  write(stream: 0 | 1, text: string): void;
  /** Prints on the second stream. */
  complain(...values: readonly unknown[]): void;
  /** What is printed from now on stands further right, or left, by two spaces. */
  indent(steps: 1 | -1): void;
}

/** What `timers.ts` gives to the others. */
export interface GuestTimers {
  clear(): void;
  fire(timer: number): void;
}

/** What `text-coding.ts` gives to the others; encodings are those of `TextEncodingName`. */
export interface GuestTextCoding {
  encodeText(text: string, encoding: string): Uint8Array;
  /** `undefined` for malformed input, where that is fatal. */
  decodeText(bytes: Uint8Array, encoding: string, isFatal?: boolean, keepsMark?: boolean): string | undefined;
}

/** What `files.ts` gives to the others. */
export interface GuestFiles {
  begin(fileBytes: number): void;
  write(path: unknown, content: unknown): void;
  /** A folder, and those above it, unless they are there. */
  make(path: unknown): void;
  /** Where relative paths begin. */
  directory(): string;
  /** Throws where there is no such folder. */
  enter(path: unknown): void;
  readonly functions: object;
}

/** What `tools.ts` gives to the others. */
export interface GuestTools {
  /** From now on there are these tools, and no others. */
  begin(run: BeginRun): void;
  answer(call: number, text: string): void;
  /** A line about calls that have no answer yet; empty where there are none. */
  openCalls(): string;
  /** Whether that is the tool of this name. */
  isBound(name: string, value: unknown): boolean;
}

/** What `display.ts` gives to the others. */
export interface GuestDisplay {
  begin(run: BeginRun): void;
  /** Shows a last value that has more forms than text. */
  showLast(value: unknown): void;
}

/** What `leavings.ts` gives to the others. */
export interface GuestLeavings {
  tell(): string;
  /** Time goes on from where it was. */
  resume(): void;
}

/** What `process.ts` gives to the others. */
export interface GuestProcess {
  begin(run: BeginRun): void;
}
