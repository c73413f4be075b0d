/** Tools that a module in a worker hands to the page's executor: calls go there as parts of the run's call, answers come back as calls of the page. */
import type { GuestValue, Policy, Tool, ToolCall, Tools } from '../../executor/index.ts';
import { fromWireError } from '../../port/index.ts';
import type { WireError } from '../../port/index.ts';

/** A tool as far as it can cross: its name and its parameters; `null` for what was no tool. */
export type ToolEntry = readonly [
  name: string,
  described: { readonly parameters?: readonly string[] | undefined } | null,
];

/** Page → worker, within the run's call. */
export interface ToolAsked {
  readonly type: 'tool-call';
  /** Counted from 1 within the run. */
  readonly call: number;
  readonly name: string;
  readonly arguments: readonly GuestValue[];
  readonly named: Readonly<Record<string, GuestValue>>;
  readonly policy: Policy;
}

/** Worker → page. Which run it belongs to is said beside it. */
export interface ToolAnswered {
  readonly call: number;
  readonly value?: unknown;
  /** The tool threw, or answered what cannot cross. */
  readonly failure?: WireError | undefined;
}

/** As many tools as an executor takes. */
const maxEntries = 1000;
const isText = (value: unknown): value is string => typeof value === 'string';
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a body may be read as a list of {@link ToolEntry}. What its names and parameters are is the executor's to check. */
export function areToolEntries(value: unknown): boolean {
  if (value === undefined) return true;
  if (!Array.isArray(value) || value.length > maxEntries) return false;
  return value.every(
    (entry: unknown) =>
      Array.isArray(entry) &&
      entry.length === 2 &&
      isText(entry[0]) &&
      (entry[1] === null || isRecord(entry[1])),
  );
}

interface Waiting {
  readonly resolve: (value: GuestValue) => void;
  readonly reject: (error: unknown) => void;
}

/** The page's side, for one run. How many calls there are, and how large they and their answers may be, is the executor's to bound. */
export class RemoteTools {
  readonly tools: Tools;
  readonly #ask: (asked: ToolAsked) => void;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  constructor(entries: readonly ToolEntry[], ask: (asked: ToolAsked) => void) {
    this.#ask = ask;
    this.tools = Object.fromEntries(
      entries.map(([name, described]) => [name, described && this.#tool(name, described)]),
    ) as Tools;
  }

  /** An answer to nothing that is asked is dropped. */
  answer({ call, value, failure }: ToolAnswered): void {
    const waiting = this.#waiting.get(call);
    this.#waiting.delete(call);
    if (failure) waiting?.reject(fromWireError(failure));
    // the executor looks at every answer
    else waiting?.resolve(value as GuestValue);
  }

  #tool(name: string, { parameters }: { readonly parameters?: readonly string[] | undefined }): Tool {
    const call = ({ arguments: values, named, signal, policy }: ToolCall): Promise<GuestValue> =>
      new Promise((resolve, reject) => {
        const number = ++this.#calls;
        this.#waiting.set(number, { resolve, reject });
        signal.addEventListener('abort', () => this.#waiting.delete(number), { once: true });
        this.#ask({ type: 'tool-call', call: number, name, arguments: values, named, policy });
      });
    return parameters === undefined ? { call } : { call, parameters };
  }
}
