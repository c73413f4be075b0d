/** An engine in the realm of a test, with everything that the worker gives it. */
import { deafOutput, engineRun, resultBounds } from '../../../guest/run-test-scene.ts';
import type { GivenRun } from '../../../guest/run-test-scene.ts';
import { parseRunResult } from '../../../sandbox/run-result.ts';
import type { RunResult } from '../../../sandbox/run-result.ts';
import { WasmEngine } from './wasm-engine.ts';
import type { WasmParts } from './wasm-engine.ts';

export interface Ran {
  readonly result: RunResult;
  readonly stdout: string;
  readonly stderr: string;
  readonly hasExceeded: boolean;
}

export interface OpenEngine {
  readonly engine: WasmEngine;
  readonly run: (code: string | Uint8Array, given?: GivenRun) => Ran;
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
      ...deafOutput,
      emit: (stream, text) => void (printed[stream] += String(text)),
      exceed: () => void (hasExceeded = true),
      keep: (bytes) => kept.push(bytes.slice().buffer as ArrayBuffer) - 1,
    },
  });
  const run = (code: string | Uint8Array, given: GivenRun = {}): Ran => {
    printed.stdout = printed.stderr = '';
    hasExceeded = false;
    kept = [];
    const answer = engine.run(engineRun(code, { timeoutMs: 1000, outputBytes: 10_000, ...given }));
    return { result: parseRunResult(answer, kept, resultBounds), ...printed, hasExceeded };
  };
  return { run, engine };
}
