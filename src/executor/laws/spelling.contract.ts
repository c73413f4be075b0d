/* oxlint-disable vitest/expect-expect -- the laws bring them */
/** The laws' programs in one language. A law says what must hold; a spelling says how it is asked for. */
import type fc from 'fast-check';
import { test } from 'vitest';
import type { ExecutionContext } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import type { LanguageName } from '../language/language.ts';
import type { Outcome } from '../outcome.ts';

/** The language has nothing like it; the words complete "not here:". */
export interface Lacking {
  readonly lacks: string;
}
/** The language has it, and it is tested apart: `file › the beginning of a title`. */
export interface TestedApart {
  readonly testedIn: string;
}
export type Maybe<T> = T | Lacking | TestedApart;

/** Code, and the value that it ends with. */
export type Valued = readonly [code: string, value: GuestValue];

/** A program that misbehaves, and how it must end. */
export interface Hostile {
  readonly name: string;
  readonly code: string;
  readonly check: (outcome: Outcome) => void;
  /** For one that never ends by itself, or takes longer than the test can wait. */
  readonly timeoutMs?: number;
}

export interface Spelling {
  readonly language: LanguageName;

  // ---- one line each; joined by line ends they make a program

  /** Ends with this small integer as its value. */
  readonly number: (value: number) => string;
  /** Prints one line. */
  readonly say: (text: string) => string;
  /** Never ends, but can be asked to. */
  readonly loop: string;
  /** Never ends, and does not hear that it is asked to: only the end of its worker stops it. */
  readonly stuck: string;
  /** Adds up to 4999950000 in many steps. */
  readonly longSum: string;

  // ---- values

  /** A name that any variable may have. */
  readonly variable: string;

  readonly values: Maybe<{
    /** Ends with the variable's value. */
    readonly read: (name: string) => string;
    readonly set: (name: string, value: number) => string;
    /** Ends with whether the variable is there. */
    readonly has: (name: string) => string;
    /** What comes back as it went in, beside the kinds that do so in every language. */
    readonly kinds: readonly fc.Arbitrary<GuestValue>[];
    readonly expressions: readonly Valued[];
    /** What variables have become in the language. */
    readonly arrival: { readonly variables: ExecutionContext['variables']; readonly asked: Valued };
    /** An object whose keys are `__proto__` and `constructor`, both with a `polluted` below. */
    readonly polluting: string;
    /** What a missing output is. */
    readonly missing: string;
    /** Names that the language keeps for itself. */
    readonly badNames: readonly string[];
  }>;

  // ---- outcomes

  /** Prints a line `out` and a line `err` on the other stream, then ends with 0. */
  readonly bothStreams: Maybe<string>;
  /** 10,000 times the letter a, and the letter b on the other stream, each flushed by itself; lines may end between them. */
  readonly byCharacter: Maybe<string>;
  readonly submit: Maybe<{
    /** Says a, submits answer: [1, none] and note: "n" inside a handler of everything, then says b. */
    readonly named: string;
    /** Submits 0. */
    readonly single: string;
  }>;
  /** Fails in line 2 of 4, in a function that line 4 calls. */
  readonly failing: Maybe<{
    readonly code: string;
    readonly type: string;
    readonly message: string;
    readonly traceback: readonly RegExp[];
    /** What must not be seen of ours. */
    readonly hidden: RegExp;
  }>;
  readonly exceptions: readonly (readonly [code: string, type: string, message: string])[];
  /** Would say something before it fails in line 2. */
  readonly syntaxError: { readonly code: string; readonly column: number; readonly message: string | RegExp };
  /** What the default policy denies. */
  readonly denied: Maybe<readonly string[]>;
  /** Ends with a list: the text of `data/a.csv`, and the bytes of `/sandbox/b.bin`. */
  readonly readFiles: Maybe<string>;
  readonly imports: Maybe<{
    readonly imports: NonNullable<ExecutionContext['imports']>;
    readonly asked: Valued;
  }>;
  /** Runs whose modules fail, and what is told of it. */
  readonly faultyModules: Maybe<readonly FaultyModule[]>;
  readonly awaiting: Maybe<readonly Valued[]>;

  // ---- surroundings

  readonly tools: Maybe<ToolSpelling>;
  /** A list: the environment's `NAME`, its `HOME`, and whether it has `toString`. */
  readonly environment: Maybe<string>;
  /** A list: the folder that the code is in, and the text of its file `x`. */
  readonly workingDirectory: Maybe<string>;
  readonly displays: Maybe<DisplaySpelling>;
  /** Names `eval` in line 2, and would say something in line 1. */
  readonly namesEval: Maybe<{ readonly code: string; readonly column: number }>;
  /** A module inside another one, and a function of one; and ways to name either in line 2, whose line begins with "é". */
  readonly deniedParts: Maybe<{
    readonly denied: readonly string[];
    readonly codes: readonly (readonly [code: string, name: string, column: number])[];
  }>;

  /** `context.submitFields`, and `context.packages`. */
  readonly submitFields: Lacking | TestedApart;
  readonly packages: Lacking | TestedApart;

  // ---- apart

  /** Leaves whatever it can behind; `seen` looks for it. */
  readonly traces: { readonly leave: string; readonly seen: Valued };
  /** Two programs of a session, with a failure between them, and what they have kept. */
  readonly keeping: Maybe<{ readonly first: string; readonly failing: string; readonly asked: Valued }>;
  /** What comes back when the interpreter was ended: a program that leaves `x` and more, the value of another one afterwards, and what does not. */
  readonly restoring: Maybe<{
    readonly leave: string;
    readonly asked: Valued;
    readonly lost: readonly string[];
  }>;
  /** Three programs, the first one slow, that add a, b and c to the list that the last one ends with. */
  readonly inOrder: Maybe<readonly [slow: string, second: string, third: string]>;

  // ---- limits

  readonly hostile: readonly Hostile[];
  /** Writes and deletes more than may be kept at a time; ends with "ok". */
  readonly deletedFiles: Maybe<string>;
  /** Prints without end. */
  readonly flood: string;
}

/** A run that fails in a module. */
export interface FaultyModule {
  readonly context: ExecutionContext;
  readonly code: string;
  readonly type: 'syntax-error' | 'threw';
  /** Of the outcome, or of its error: the file, the line, and what else is known. */
  readonly fault: Readonly<Record<string, unknown>>;
}

/** Calls of tools; a call is an expression, which waits for the answer. */
export interface ToolSpelling {
  /** Hands `echo` a number, a list of true, nothing and "é", the bytes of "ab", and 2 to the 70th. */
  readonly passing: Valued;
  /** Ways to add 1 and 2. */
  readonly additions: readonly string[];
  /** Calls of `add` that do not fit. */
  readonly misfits: readonly string[];
  /** Ends with the value of the call. */
  readonly ask: (call: string) => string;
  /** A call of a tool without, or with, one value. */
  readonly call: (name: string, given?: string) => string;
  /** Ends with a list: what kind of error the call throws, its message and its code. */
  readonly attempt: (call: string) => string;
  /** Texts, bytes and lists, each beyond 2,000 bytes; and what cannot cross, with the kind of error that it is. */
  readonly large: readonly string[];
  readonly uncrossable: readonly (readonly [given: string, kind: string])[];
  /** Calls `both` with "a" and with "b" before either is answered; ends with the list of answers. */
  readonly together: string;
  /** Calls `add` for ever, and catches all it can. */
  readonly endless: string;
  /** Says a, then waits for `never` in its ways. */
  readonly never: readonly string[];
  /** Keeps the function `add` in a variable, and adds 1 and 1. */
  readonly keep: string;
  /** Calls what was kept. */
  readonly callKept: string;
  /** What a name without a tool is. */
  readonly unknown: string;
  /** Makes a tool of this name out of another one, and ends with the code of its error. */
  readonly forge: Maybe<(name: string) => string>;
  /** Names values `__proto__` and `constructor`, 1 and 2; ends with what `echo` says. */
  readonly polluting: Maybe<Valued>;
  /** Says 1, and in line 2 calls `echo`, plainly. */
  readonly denied: { readonly code: string; readonly column: number };
  /** Says 1, and calls `echo` in line `line` so that the text does not show it; catches what it can. */
  readonly hidden: { readonly code: string; readonly line: number };
  /** Names that cannot be those of tools. */
  readonly badNames: readonly string[];
}

/** What is shown. */
export interface DisplaySpelling {
  /** Says a, shows what has the forms `<b>é</b>` and the text `plain`, says b. */
  readonly inOrder: string;
  readonly plain: string;
  /** Ends with such a value; and what arrives of it. */
  readonly last: Valued;
  /** Ends with a value that is not shown. */
  readonly unseen: string;
  /** Shows the PNG `iVBORw==`, with `x-evil` and the JSON `{"a":[1]}`; then a bundle of `text/plain` "t" with a `__proto__`. */
  readonly bundles: string;
  /** Shows rows `{ a: 1, b: "<x>" }` and `{ a: 2, b: nothing }`. */
  readonly table: Maybe<string>;
  /** Shows ten values; one of 20,000 characters; four of 4,000; and one again and again, whatever is thrown. With the bound that ends it. */
  readonly floods: readonly (readonly [
    name: string,
    code: string,
    shown: number,
    bound: 'displays' | 'displayBytes',
  ])[];
  /** Shows 1 and ends with 2. */
  readonly one: string;
  /** Shows an object that answers every name with a function that fails, and ends with 3. */
  readonly mock: string;
}

/** `undefined` for what the language lacks, and for what is tested apart. */
export function have<T>(part: Maybe<T>): T | undefined {
  return isLacking(part) || isTestedApart(part) ? undefined : part;
}

export function isLacking(part: unknown): part is Lacking {
  return typeof part === 'object' && part !== null && 'lacks' in part;
}

export function isTestedApart(part: unknown): part is TestedApart {
  return typeof part === 'object' && part !== null && 'testedIn' in part;
}

/** A law over a part of a spelling. Skipped, with the reason in its name, where the language has no such part. */
export function lawOf<T>(
  part: Maybe<T>,
  name: string,
  law: (part: T) => Promise<void>,
  timeoutMs?: number,
): void {
  const why = isLacking(part)
    ? ` (not here: ${part.lacks})`
    : isTestedApart(part)
      ? ` (apart: ${part.testedIn})`
      : '';
  test.skipIf(why !== '')(`${name}${why}`, () => law(part as T), timeoutMs);
}

/** Lines of a program. */
export function lines(...parts: readonly string[]): string {
  return parts.join('\n');
}
