/** What the harness calls to reach the page's tools. */
import type { GuestToolCall, GuestTools } from '../../../guest/tool-port.ts';
import type { ToolAnswer } from '../../../sandbox/tool-answer.ts';
import { readText } from './leaving-text.ts';

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
  /** @param text may also be its bytes */
  readonly call_tool: (name: string, text: string, line?: number) => PythonAnswer;
  readonly start_tool: (name: string, text: string, line?: number) => Promise<PythonAnswer>;
}

/** A short one that is all text crosses as text: each part of an object that Python reads costs a call. */
type PythonAnswer = string | ToolAnswer | undefined;

const shortBytes = 4096;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function toPython(answer: ToolAnswer | undefined): PythonAnswer {
  const isShort = answer && answer.buffers.length === 0 && answer.text.length <= shortBytes;
  return isShort ? decoder.decode(answer.text) : answer;
}

/** Bound once for an interpreter, which does one thing at a time: what is held goes with the next call. */
export function toolFunctions(tools: GuestTools): ToolFunctions {
  let held: ArrayBuffer[] = [];
  const request = (name: string, text: string, line?: number): GuestToolCall => ({
    name,
    arguments: readText(text) as string,
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
    call_tool: (name, text, line) => toPython(tools.call(request(name, text, line))),
    start_tool: async (name, text, line) => toPython(await tools.start(request(name, text, line))),
  };
}
