/** Engines of JavaScript for tests, in Node, and runs in them. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { GuestOutput } from '../../../guest/engine.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import { parseRunResult } from '../../../sandbox/run-result.ts';
import type { RunResult } from '../../../sandbox/run-result.ts';
import { JavaScriptEngine } from './engine.ts';
import type { JavaScriptOptions } from './engine.ts';
import { noTranslation } from './translation.ts';

const file = createRequire(import.meta.url).resolve('@jitl/quickjs-ng-wasmfile-release-sync/wasm');
const module: Promise<WebAssembly.Module> = readFile(file).then((bytes) => WebAssembly.compile(bytes));

const bounds = { resultBytes: 2 ** 20, valueDepth: 8 };

/** Hears nothing. @param loseState is told when a run ends with an interpreter that has run nothing */
export const outputTo = (loseState: () => void = () => undefined): GuestOutput => ({
  emit: () => undefined,
  writeRaw: () => undefined,
  emitBytes: () => undefined,
  exceed: () => undefined,
  keep: () => 0,
  loseState,
  die: () => undefined,
  display: () => true,
  tools: { canBlock: false, call: () => undefined, start: () => Promise.resolve(undefined) },
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
export async function runIn(
  engine: JavaScriptEngine,
  code: string,
  more: Partial<RunRequest> = {},
): Promise<RunResult> {
  const request: RunRequest = {
    code,
    variables: {},
    files: [],
    imports: [],
    outputs: [],
    deniedModules: [],
    deniedGlobals: [],
    deniedTools: [],
    tools: [],
    toolParameters: [],
    packages: null,
    submitFields: null,
    displays: 10,
    environment: {},
    workingDirectory: null,
    outputBytes: 2 ** 20,
    toolArgumentBytes: 2 ** 20,
    displayBytes: 2 ** 20,
    ...bounds,
    ...more,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(request));
  const text = await engine.run({ request: bytes, buffers: [], timeoutMs: 20_000, hasTools: false });
  return parseRunResult(text, [], bounds);
}
