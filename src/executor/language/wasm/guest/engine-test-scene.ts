/** An engine in the realm of a test, with everything that the worker gives it. */
import type { GuestValue } from '../../../guest-value.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import { parseRunResult } from '../../../sandbox/run-result.ts';
import type { RunResult } from '../../../sandbox/run-result.ts';
import { ValueEncoder } from '../../../sandbox/value-codec.ts';
import { WasmEngine } from './wasm-engine.ts';
import type { WasmParts } from './wasm-engine.ts';

const bounds = { resultBytes: 2 ** 20, valueDepth: 8 };

export interface Given {
  readonly variables?: Readonly<Record<string, GuestValue>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly outputs?: readonly string[];
  readonly outputBytes?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
}

export interface Ran {
  readonly result: RunResult;
  readonly stdout: string;
  readonly stderr: string;
  readonly hasExceeded: boolean;
}

export interface OpenEngine {
  readonly engine: WasmEngine;
  readonly run: (code: string | Uint8Array, given?: Given) => Ran;
}

/** @param parts of an engine that takes text: `compileText` */
export function openEngine({
  memoryBytes = 16 * 65_536,
  fileBytes = 100_000,
  ...parts
}: Partial<WasmParts> = {}): OpenEngine {
  const printed = { stdout: '', stderr: '' };
  let kept: ArrayBuffer[] = [];
  let hasExceeded = false;
  const engine = new WasmEngine({
    memoryBytes,
    fileBytes,
    interrupt: undefined,
    ...parts,
    output: {
      emit: (stream, text) => void (printed[stream] += String(text)),
      writeRaw: () => undefined,
      emitBytes: () => undefined,
      exceed: () => void (hasExceeded = true),
      keep: (bytes) => kept.push(bytes.slice().buffer as ArrayBuffer) - 1,
      loseState: () => undefined,
      die: () => undefined,
      display: () => true,
      tools: { canBlock: false, call: () => undefined, start: () => Promise.resolve(undefined) },
    },
  });
  const run = (code: string | Uint8Array, given: Given = {}): Ran => {
    const { variables = {}, files = {}, outputs = [], outputBytes = 10_000 } = given;
    const encoder = new ValueEncoder({ maxSizeBytes: 2 ** 24, maxDepth: 8 });
    const encode = (value: GuestValue): unknown => encoder.encode(value, 'x');
    const request: RunRequest = {
      code: typeof code === 'string' ? code : '',
      ...(typeof code === 'string' ? {} : { bytes: encode(code) }),
      variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, encode(value)])),
      files: Object.entries(files).map(([path, content]) => [path, encode(content)] as const),
      imports: [],
      outputs,
      deniedModules: [],
      deniedGlobals: [],
      deniedTools: [],
      packages: null,
      submitFields: null,
      tools: [],
      toolParameters: [],
      displays: 0,
      environment: given.environment ?? {},
      workingDirectory: given.workingDirectory ?? null,
      toolArgumentBytes: 0,
      displayBytes: 0,
      outputBytes,
      ...bounds,
    };
    printed.stdout = printed.stderr = '';
    hasExceeded = false;
    kept = [];
    const answer = engine.run({
      request: new TextEncoder().encode(JSON.stringify(request)),
      buffers: encoder.buffers.map((buffer) => new Uint8Array(buffer)),
      timeoutMs: 1000,
      hasTools: false,
    });
    return { result: parseRunResult(answer, kept, bounds), ...printed, hasExceeded };
  };
  return { run, engine };
}
