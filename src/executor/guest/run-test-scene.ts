/** What an engine is given for a run and tells of it, for tests without a worker around it. */
import type { RunRequest } from '../sandbox/protocol.ts';
import { ValueEncoder } from '../sandbox/value-codec.ts';
import type { EngineRun, GuestOutput } from './engine.ts';

/** Generous: these tests are not about them. */
export const resultBounds = { resultBytes: 2 ** 20, valueDepth: 8 };

/** A request that asks for nothing. */
export const emptyRequest: RunRequest = {
  code: '',
  variables: {},
  files: [],
  imports: [],
  outputs: [],
  isSession: true,
  deniedModules: [],
  deniedGlobals: [],
  deniedTools: [],
  packages: null,
  submitFields: null,
  tools: [],
  toolParameters: [],
  environment: {},
  workingDirectory: null,
  toolArgumentBytes: 2 ** 20,
  displays: 10,
  displayBytes: 2 ** 20,
  outputBytes: 2 ** 20,
  ...resultBounds,
};

export interface GivenRun extends Partial<Omit<RunRequest, 'variables' | 'files' | 'code'>> {
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly timeoutMs?: number;
}

/** As the page writes it. */
export function engineRun(code: string | Uint8Array, given: GivenRun = {}): EngineRun {
  const { variables = {}, files = {}, timeoutMs = 10_000, ...more } = given;
  const encoder = new ValueEncoder({ maxSizeBytes: 2 ** 24, maxDepth: 8 });
  const encode = (value: unknown): unknown => encoder.encode(value, 'x');
  const request: RunRequest = {
    ...emptyRequest,
    ...(typeof code === 'string' ? { code } : { bytes: encode(code) }),
    variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, encode(value)])),
    files: Object.entries(files).map(([path, content]) => [path, encode(content)] as const),
    ...more,
  };
  return {
    request: new TextEncoder().encode(JSON.stringify(request)),
    buffers: encoder.buffers.map((buffer) => new Uint8Array(buffer)),
    timeoutMs,
    hasTools: false,
  };
}

/** Hears nothing. */
export const deafOutput: GuestOutput = {
  emit: () => undefined,
  watch: () => undefined,
  writeRaw: () => undefined,
  emitBytes: () => undefined,
  exceed: () => undefined,
  keep: () => 0,
  loseState: () => undefined,
  die: () => undefined,
  display: () => true,
  tools: { canBlock: false, call: () => undefined, start: () => Promise.resolve(undefined) },
};
