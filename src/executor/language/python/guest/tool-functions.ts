/** What the harness calls to reach the page's tools. */
import type { GuestToolCall, GuestTools } from '../../../guest/tool-port.ts';
import type { ToolAnswer } from '../../../sandbox/tool-answer.ts';

/** A Python buffer, as a proxy. */
export interface PythonBuffer {
  getBuffer(type: 'u8'): { data: Uint8Array; release(): void };
}

/** By the names that the harness knows. */
export interface ToolFunctions {
  readonly can_block: boolean;
  /** The code of a call that cannot wait. */
  readonly wait_unavailable: string;
  /** Copies bytes for the next call; the answer is their number in it. */
  readonly hold: (value: PythonBuffer) => number;
  /** Forgets what was held for a call that was not made. */
  readonly release: () => void;
  readonly call_tool: (name: string, text: string, line?: number) => ToolAnswer | undefined;
  readonly start_tool: (name: string, text: string, line?: number) => Promise<ToolAnswer | undefined>;
}

/** Bound once for an interpreter, which does one thing at a time: what is held goes with the next call. */
export function toolFunctions(tools: GuestTools): ToolFunctions {
  let held: ArrayBuffer[] = [];
  const request = (name: string, text: string, line?: number): GuestToolCall => ({
    name,
    arguments: text,
    buffers: held.splice(0),
    line: typeof line === 'number' ? line : null,
  });
  return {
    can_block: tools.canBlock,
    wait_unavailable: 'executor/tool-wait-unavailable',
    hold(value) {
      const view = value.getBuffer('u8');
      try {
        return held.push(new Uint8Array(view.data).buffer) - 1;
      } finally {
        view.release();
      }
    },
    release() {
      held = [];
    },
    call_tool: (name, text, line) => tools.call(request(name, text, line)),
    start_tool: (name, text, line) => tools.start(request(name, text, line)),
  };
}
