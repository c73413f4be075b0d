/** Engines of JavaScript for tests, in Node, and runs in them. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { GuestOutput } from '../../../guest/engine.ts';
import { deafOutput, engineRun, resultBounds } from '../../../guest/run-test-scene.ts';
import type { GivenRun } from '../../../guest/run-test-scene.ts';
import { exportTable } from '../../../../../wasm/quickjs/export-table.mjs';
import { parseRunResult } from '../../../sandbox/run-result.ts';
import type { RunResult } from '../../../sandbox/run-result.ts';
import { JavaScriptEngine } from './engine.ts';
import type { JavaScriptOptions } from './engine.ts';
import { noTranslation } from './translation.ts';

const file = createRequire(import.meta.url).resolve('@jitl/quickjs-ng-wasmfile-release-sync/wasm');
const module: Promise<WebAssembly.Module> = readFile(file).then((bytes) =>
  WebAssembly.compile(exportTable(bytes)),
);

/** Hears what is printed on the second stream. */
export const outputOf = (complaints: unknown[]): GuestOutput => ({
  ...deafOutput,
  emit: (stream, text) => void (stream === 'stderr' && complaints.push(text)),
});

/** Hears nothing. @param loseState is told when a run ends with an interpreter that has run nothing */
export const outputTo = (loseState: () => void = () => undefined): GuestOutput => ({
  ...deafOutput,
  loseState,
});

export async function openEngine(options: Partial<JavaScriptOptions> = {}): Promise<JavaScriptEngine> {
  return JavaScriptEngine.create({
    module: await module,
    memoryBytes: 64 * 2 ** 20,
    fileBytes: 2 ** 20,
    stackBytes: 48 * 1024,
    interrupt: undefined,
    translation: noTranslation,
    output: outputTo(),
    ...options,
  });
}

/** @param more of the request */
export async function runIn(engine: JavaScriptEngine, code: string, more: GivenRun = {}): Promise<RunResult> {
  const run = engineRun(code, { ...more, timeoutMs: 20_000 });
  return parseRunResult(await engine.run(run), [], resultBounds);
}
