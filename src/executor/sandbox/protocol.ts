/**
 * Every message between the page, the frame and the interpreter's worker. One file, imported by all three.
 *
 * The page trusts its frame's window, which runs no guest code, and nothing that comes from a worker: a guest can post
 * whatever it likes on its own port. So the page owns all numbers, and {@link parseGuestMessage} reads by hand.
 */

import { hasOnly, isExactList } from './exact-fields.ts';
import { readSessionRestored, readSessionSave, readSessionStep } from './session-protocol.ts';
import type {
  SaveBounds,
  SessionRestore,
  SessionRestored,
  SessionSave,
  SessionSaving,
  SessionUnsaved,
} from './session-protocol.ts';

/** How the worker is set up; fixed for its life. */
export interface GuestSettings {
  readonly fileBytes: number;
  /** For a language that makes its memory itself; others had theirs capped on the page. */
  readonly memoryBytes: number;
  /** Room for one tool's answer in shared memory, where there is some; with 0, none is shared. */
  readonly mailboxBytes: number;
  /** False only in the control of the escape suite: globals stay and `js` is the real global object. */
  readonly isStripped: boolean;
  /** What the language's own definition sets. */
  readonly own: Readonly<Record<string, string | number | boolean>>;
}

/** Page → worker, after the boot. */
export type GuestCommand = RunStart | RunStop | GuestRenew | ToolAnswered | SessionRestore;

/** Page → frame, by `postMessage` on its window, once, with the port that everything else uses. */
export interface FrameConnect {
  readonly type: 'frame-connect';
}

/** Page → frame, on the port. */
export type FrameCommand =
  /** Hands over what one kind of guest is made of. Answered with `guest-ready` or `guest-fail`; once for each `guest`. */
  | {
      readonly type: 'guest-load';
      /** How `sandbox-open` names it. */
      readonly guest: number;
      /** Source of the worker, a classic script; bytes are UTF-8. */
      readonly worker: string | ArrayBuffer;
      readonly assets: readonly FrameAsset[];
    }
  | {
      readonly type: 'sandbox-open';
      readonly sandbox: string;
      readonly guest: number;
      readonly settings: GuestSettings;
      readonly snapshot: SnapshotUse;
      readonly port: MessagePort;
    }
  /** What the next guests of this kind may start from; replaces an earlier one. Not confirmed. */
  | { readonly type: 'snapshot-keep'; readonly guest: number; readonly content: ArrayBuffer }
  /** Interrupts this run, also when its `run-start` has yet to arrive. The answer, `command-done`, says that it cannot fall on a later one. */
  | {
      readonly type: 'sandbox-interrupt';
      readonly sandbox: string;
      readonly run: number;
      readonly command: number;
    }
  /** The answer to a call that waits with the worker's thread. Not confirmed. */
  | {
      readonly type: 'tool-deliver';
      readonly sandbox: string;
      readonly call: number;
      readonly answer: Uint8Array<ArrayBuffer>;
    }
  | { readonly type: 'sandbox-close'; readonly sandbox: string; readonly command: number }
  /** Answered with `command-done`: the frame is alive. */
  | { readonly type: 'frame-ping'; readonly command: number };

/** Whether a guest boots, starts from the snapshot that the frame has, or makes one and does nothing else. */
export type SnapshotUse = 'none' | 'load' | 'make';

/** One file of a guest. A `module` is compiled by the frame, once for all its workers; `bytes` go to each of them. */
export interface FrameAsset {
  readonly name: string;
  readonly form: 'module' | 'bytes';
  readonly content: ArrayBuffer;
}

/** Frame → page, on the port. */
export type FrameReport =
  /** The first one: the frame listens. */
  | { readonly type: 'frame-ready'; readonly isIsolated: boolean }
  | { readonly type: 'guest-ready'; readonly guest: number }
  | { readonly type: 'guest-fail'; readonly guest: number; readonly message: string }
  | { readonly type: 'sandbox-fail'; readonly sandbox: string; readonly message: string }
  | { readonly type: 'command-done'; readonly command: number };

/** Frame → worker, its first and only message. */
export interface GuestBoot {
  /** By name. */
  readonly assets: Readonly<Record<string, WebAssembly.Module | ArrayBuffer>>;
  readonly settings: GuestSettings;
  /** Present where the frame is isolated; read and written by `guest/interrupt-flag.ts`. */
  readonly interrupt: SharedArrayBuffer | undefined;
  /** Answers to tools' calls, read by `guest/mailbox.ts`. */
  readonly mailbox: SharedArrayBuffer | undefined;
  /** To start from, or the order to make one. */
  readonly snapshot?: ArrayBuffer | 'make' | undefined;
  readonly port: MessagePort;
}

/** Page → worker, on the sandbox's port. */
export interface RunStart {
  readonly type: 'run-start';
  readonly run: number;
  /** A {@link RunRequest} as JSON in UTF-8. */
  readonly request: Uint8Array<ArrayBuffer>;
  readonly buffers: readonly ArrayBuffer[];
  /** Also in the request; here for what goes round the harness. */
  readonly outputBytes: number;
  readonly resultBytes: number;
  readonly toolCalls: number;
  readonly toolArgumentBytes: number;
  readonly displays: number;
  readonly displayBytes: number;
  readonly hasTools: boolean;
  /** For a guest that keeps time itself; the page's own clock is the bound. */
  readonly timeoutMs: number;
  /** Whether, and within which bounds, what the run leaves is put aside. */
  readonly saving: SaveBounds | null;
}

/** Page → worker, on the sandbox's port: the answer to a call that does not hold the worker's thread. */
export interface ToolAnswered {
  readonly type: 'tool-answer';
  readonly call: number;
  /** As `tool-answer.ts` packs it. */
  readonly answer: Uint8Array<ArrayBuffer>;
}

/** Page → worker, on the sandbox's port, between runs: the next run must find an interpreter that has run nothing. */
export interface GuestRenew {
  readonly type: 'guest-renew';
}

/** Page → worker, on the sandbox's port, beside the shared flag: for a guest that waits and therefore does not look at the flag. */
export interface RunStop {
  readonly type: 'run-stop';
  readonly run: number;
}

/** What the harness reads. Variables are encoded as `value-codec.ts` says. */
export interface RunRequest {
  readonly code: string;
  /** The code as an encoded value where it was handed over as bytes; `code` is empty then. */
  readonly bytes?: unknown;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Path and encoded content. */
  readonly files: readonly (readonly [path: string, content: unknown])[];
  /** Modules by the name under which the code imports them, and their source. */
  readonly imports: readonly (readonly [name: string, source: string])[];
  readonly outputs: readonly string[];
  /** Later runs go on with what this one leaves. */
  readonly isSession: boolean;
  readonly deniedModules: readonly string[];
  readonly deniedGlobals: readonly string[];
  /** Names of tools that the policy denies: code that calls one by its name does not run. */
  readonly deniedTools: readonly string[];
  /** Every tool of the run by name; the denied ones, too. */
  readonly tools: readonly string[];
  /** In the same order: the names of its parameters, where a tool has some. */
  readonly toolParameters: readonly (readonly string[] | null)[];
  readonly environment: Readonly<Record<string, string>>;
  /** Below `/sandbox`; `null`: stay. */
  readonly workingDirectory: string | null;
  /** What `SUBMIT` takes: names, and their types where they have one; `null`: whatever comes. */
  readonly submitFields: readonly (readonly [name: string, type: string | null])[] | null;
  /** Which buffer begins the packages of the run: a header and their content, as `language/package-loading.ts` says; `null`: none. */
  readonly packages: number | null;
  readonly outputBytes: number;
  readonly resultBytes: number;
  readonly toolArgumentBytes: number;
  readonly displays: number;
  readonly displayBytes: number;
  readonly valueDepth: number;
}

/** Worker → page, on the sandbox's port. */
export type GuestMessage =
  | { readonly type: 'sandbox-ready' }
  | { readonly type: 'sandbox-fail'; readonly message: string }
  | {
      readonly type: 'output-write';
      readonly run: number;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
    }
  /** A rich value, as JSON text of a MIME bundle; read by `display.ts`. */
  | { readonly type: 'display-write'; readonly run: number; readonly bundle: string }
  | ToolCallMessage
  /** The guest printed, showed or kept more than it may; the rest is dropped. */
  | { readonly type: 'output-exceed'; readonly run: number; readonly bound: OutputBound }
  | {
      readonly type: 'run-end';
      readonly run: number;
      /** A result as JSON text, read by `run-result.ts`. */
      readonly result: string;
      readonly buffers: readonly ArrayBuffer[];
      /** The worker goes on with an interpreter that has run nothing: what earlier runs left is gone. */
      readonly isStateLost: boolean;
      /** What was put aside last still holds everything: no save follows. */
      readonly isStateSame?: true;
    }
  | SessionSave
  | SessionSaving
  | SessionUnsaved
  | SessionRestored
  /** The interpreter cannot go on; `stack`: its own was spent. */
  | { readonly type: 'sandbox-die'; readonly message: string; readonly reason?: 'stack' };

/** Bounds on what leaves a guest by itself: names of limits, and what an outcome calls them. */
export const outputBounds: {
  readonly outputBytes: 'output';
  readonly displays: 'display';
  readonly displayBytes: 'display';
  readonly resultBytes: 'result';
} = { outputBytes: 'output', displays: 'display', displayBytes: 'display', resultBytes: 'result' };

export type OutputBound = keyof typeof outputBounds;

/** A guest calls a tool. */
export interface ToolCallMessage {
  readonly type: 'tool-call';
  readonly run: number;
  /** The guest's own number, from 1; comes back with the answer. */
  readonly call: number;
  readonly name: string;
  /** `[positional, [name, value][]]` as JSON. */
  readonly arguments: string;
  readonly buffers: readonly ArrayBuffer[];
  readonly line: number | null;
  /** The worker's thread waits: the answer goes to its mailbox. */
  readonly isBlocking: boolean;
}

/** Worker → page, from one that makes a snapshot: its only message. */
export type SnapshotMessage =
  | { readonly type: 'snapshot-ready'; readonly content: ArrayBuffer }
  | { readonly type: 'snapshot-fail'; readonly message: string };

type Unknown = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number => Number.isSafeInteger(value);
const isBound = (value: unknown): value is OutputBound => isText(value) && Object.hasOwn(outputBounds, value);
const isBuffers = (value: unknown): value is readonly ArrayBuffer[] =>
  isExactList(value, 100_000) && value.every((item) => item instanceof ArrayBuffer);

/** Tools have names that are identifiers; nobody calls one by a longer name. */
export const maxToolNameLength = 256;

function readToolCall(data: Unknown): ToolCallMessage | undefined {
  const { run, call, name, arguments: json, buffers, line, isBlocking } = data;
  if (!isCount(run) || !isCount(call) || !isText(name) || name.length > maxToolNameLength) return undefined;
  if (!isText(json) || !isBuffers(buffers)) return undefined;
  if ((line !== null && !isCount(line)) || typeof isBlocking !== 'boolean') return undefined;
  return { type: 'tool-call', run, call, name, arguments: json, buffers, line, isBlocking };
}

const readers: Record<GuestMessage['type'], (data: Unknown) => GuestMessage | undefined> = {
  'sandbox-ready': () => ({ type: 'sandbox-ready' }),
  'sandbox-fail': ({ message }) => (isText(message) ? { type: 'sandbox-fail', message } : undefined),
  'output-write': ({ run, stream, text }) =>
    isCount(run) && (stream === 'stdout' || stream === 'stderr') && isText(text)
      ? { type: 'output-write', run, stream, text }
      : undefined,
  'display-write': ({ run, bundle }) =>
    isCount(run) && isText(bundle) ? { type: 'display-write', run, bundle } : undefined,
  'tool-call': (data) => readToolCall(data),
  'output-exceed': ({ run, bound }) =>
    isCount(run) && isBound(bound) ? { type: 'output-exceed', run, bound } : undefined,
  'run-end': ({ run, result, buffers, isStateLost, isStateSame }) =>
    isCount(run) && isText(result) && isBuffers(buffers) && typeof isStateLost === 'boolean'
      ? {
          type: 'run-end',
          run,
          result,
          buffers,
          isStateLost,
          ...(isStateSame === true ? { isStateSame } : {}),
        }
      : undefined,
  'session-save': (data) => readSessionSave(data),
  'session-saving': (data) => readSessionStep('session-saving', data),
  'session-unsaved': (data) => readSessionStep('session-unsaved', data),
  'session-restored': (data) => readSessionRestored(data),
  'sandbox-die': ({ message, reason }) =>
    isText(message) ? { type: 'sandbox-die', message, ...(reason === 'stack' ? { reason } : {}) } : undefined,
};

/**
 * Reads a message of unknown origin; `undefined` when it is none of ours. One with further fields is none: the browser has built them before anybody
 * could look, and would build them again with the next one.
 */
export function parseGuestMessage(data: unknown): GuestMessage | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { type } = data as Unknown;
  if (!isText(type) || !Object.hasOwn(readers, type)) return undefined;
  const message = readers[type as GuestMessage['type']](data as Unknown);
  return message && hasOnly(data, message) ? message : undefined;
}

/** The same for a worker that makes a snapshot. */
export function parseSnapshotMessage(data: unknown): SnapshotMessage | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { type, content, message } = data as Unknown;
  if (type === 'snapshot-ready' && content instanceof ArrayBuffer) return { type, content };
  return type === 'snapshot-fail' && isText(message) ? { type, message } : undefined;
}
