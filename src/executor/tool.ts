/** Functions of the page that a guest may call by name. */
import type { GuestValue } from './guest-value.ts';
import type { Policy } from './policy/policy.ts';

/** What a tool is called with. The values are the guest's: check them. */
export interface ToolCall {
  /** Values without a name, in order. Empty where the tool names its parameters: those are in `named` then. */
  readonly arguments: readonly GuestValue[];
  /** Values by name; without a prototype. */
  readonly named: Readonly<Record<string, GuestValue>>;
  /** Aborted when the run ends, however it ends; what the tool answers after that is dropped. */
  readonly signal: AbortSignal;
  /** The executor's own, for a tool that reaches further, such as a network. */
  readonly policy: Policy;
}

/** A function of the page. It is on the trusted side: what it does for a guest, it does with the page's rights. */
export interface Tool {
  /**
   * Names of its parameters. Values without a name get them in order; too many, or one that is not among them, is a
   * `executor/tool-arguments-invalid` in the guest, and the tool is not called. Without it, it takes whatever comes. In JavaScript a single plain
   * object with one of these names among its keys holds values by name.
   */
  readonly parameters?: readonly string[];
  /**
   * Answers a value that can cross, or `undefined` for `null`. What it throws arrives in the guest as an exception with the same message
   * (`ToolError`, with the code in `code`). Throwing `executor/denied` ends the run as `denied`.
   */
  readonly call: (
    call: ToolCall,
  ) => GuestValue | undefined | void | PromiseLike<GuestValue | undefined | void>;
}

/** Tools by the name under which the guest calls them. */
export type Tools = Readonly<Record<string, Tool>>;
