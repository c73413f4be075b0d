/** The harness and what puts sessions aside, in a Python of Node's, without a worker around them. */
import { readFile } from 'node:fs/promises';
import { loadPyodide } from 'pyodide';
import { emptyRequest } from '../../../guest/run-test-scene.ts';
import { takeText } from './leaving-text.ts';
import type { PythonBytes } from './leaving-text.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';

/** As `checkpoint.py` says it. */
export interface Saved {
  readonly names: readonly string[];
  /** Names and reasons. */
  readonly lost: Readonly<Record<string, string>>;
}

type Save = (sizeBytes: number, packageBytes: number, seconds: number, isIdle: boolean) => string;
type Start = (request: Uint8Array, buffers: readonly Uint8Array[]) => string;
interface Scope {
  get(name: 'save'): Save;
  get(name: 'is_same'): () => boolean;
  get(name: 'start'): Start;
}

export interface HarnessScene {
  /** The result of a run that awaits nothing. */
  run(code: string, request?: Partial<RunRequest>): Readonly<Record<string, unknown>>;
  /** What runs have printed, of both streams; asked for, it begins anew. */
  printed(): string;
  /** The same, as the parts that it came in. */
  parts(): readonly string[];
  /** Evaluates what no run does: what an earlier one left does it. */
  between(expression: string): void;
  /** Whether what was put aside last is known to hold everything. */
  isSame(): boolean;
  /** What is put aside now, at the latest when nothing has run for a while; `undefined`: nothing. */
  save(sizeBytes: number, seconds?: number): Saved | undefined;
}

/** What a worker brings, of which these runs use nothing. */
const around =
  'exceed watch_output show show_table keep put_aside schedule drop_callbacks interrupt_again hold release call_tool start_tool'.split(
    ' ',
  );

const read = (name: string): Promise<string> =>
  readFile(new URL(`../../../../../wasm/python/${name}`, import.meta.url), 'utf8');

/** A Python that has run nothing. It takes some seconds to start. */
export async function openHarness(): Promise<HarnessScene> {
  const [harness, checkpoint, python] = await Promise.all([
    read('harness.py'),
    read('checkpoint.py'),
    loadPyodide(),
  ]);
  const deaf = Object.fromEntries(around.map((name) => [name, () => undefined]));
  const parts: string[] = [];
  const emit = (_stream: number, text: string | PythonBytes): void =>
    void parts.push(typeof text === 'string' ? text : takeText(text));
  const scope = python.toPy({
    ...deaf,
    emit,
    can_block: true,
    can_switch: false,
    nap: undefined,
    wait_unavailable: '',
  }) as Scope;
  for (const source of [harness, checkpoint]) python.runPython(source, { globals: scope as never });
  const [start, save] = [scope.get('start'), scope.get('save')];
  return {
    isSame: scope.get('is_same'),
    printed: () => parts.splice(0).join(''),
    parts: () => parts.splice(0),
    between: (expression) =>
      void python.runPython(`eval(${JSON.stringify(expression)}, __import__("__main__").__dict__)`),
    run(code, request = {}) {
      const whole = { ...emptyRequest, valueDepth: 64, displays: 100, code, ...request };
      return JSON.parse(start(new TextEncoder().encode(JSON.stringify(whole)), [])) as Record<
        string,
        unknown
      >;
    },
    save(sizeBytes, seconds = 60) {
      const soon = save(sizeBytes, sizeBytes, seconds, false);
      const text = soon === 'later' ? save(sizeBytes, sizeBytes, seconds, true) : soon;
      if (text === '') return undefined;
      const { names, lost } = JSON.parse(text) as { names: string[]; lost: [string, string][] };
      return { names, lost: Object.fromEntries(lost) };
    },
  };
}
