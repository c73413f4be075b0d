import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import { javascript } from '../language/javascript/javascript.ts';
import { resolveLimits } from '../limits.ts';
import { resolvePolicy } from '../policy/policy.ts';
import { Execution } from './execution.ts';
import { prepareRun } from './prepare-run.ts';
import type { RunResult } from './run-result.ts';
import type { RunEnd, RunWatcher, Sandbox } from './sandbox.ts';

const limits = resolveLimits({ displays: 2, displayBytes: 60, toolCalls: 3, outputBytes: 10 });

/** Runs an interpreter that does as `guest` says and answers `result`, unless it is ended before. */
function run(guest: (watcher: RunWatcher) => void, result: RunResult = { type: 'submitted', value: {} }) {
  const clock = new SimulatedClock();
  let isAlive = true;
  const sandbox = {
    id: 'one',
    canInterrupt: false,
    keepsTime: false,
    get isAlive() {
      return isAlive;
    },
    run: (_prepared: unknown, watcher: RunWatcher): Promise<RunEnd> => {
      guest(watcher);
      return Promise.resolve(
        isAlive
          ? { type: 'result', isStateLost: false, result }
          : { type: 'dead', cause: 'used', message: '' },
      );
    },
    answer: () => undefined,
    kill: () => void (isAlive = false),
  };
  const packages = { isOpen: false, serve: () => Promise.resolve(null), supply: (it: never) => it };
  const execution = new Execution(
    sandbox as unknown as Sandbox,
    {},
    { clock, hub: silentHub, limits, packages },
  );
  const rules = { limits, policy: resolvePolicy(), language: javascript };
  return execution.run(prepareRun('1', {}, {}, rules));
}

const bundle = JSON.stringify({ 'text/plain': 'x' });
const call = { type: 'tool-call', run: 1, name: 'n', arguments: '[[],[]]', buffers: [] } as const;

test.each<[string, (watcher: RunWatcher) => void, { limit: string; allowed: number }]>([
  ['what is printed', (it) => it.exceed('outputBytes'), { limit: 'output', allowed: 10 }],
  [
    'what is printed past the guest’s own count',
    (it) => it.output('stdout', 'x'.repeat(11)),
    { limit: 'output', allowed: 10 },
  ],
  ['values that are kept', (it) => it.exceed('resultBytes'), { limit: 'result', allowed: 16 * 2 ** 20 }],
  ['values that are shown', (it) => it.exceed('displays'), { limit: 'display', allowed: 2 }],
  ['characters that are shown', (it) => it.exceed('displayBytes'), { limit: 'display', allowed: 60 }],
  [
    'values that are shown past the guest’s own count',
    (it) => [1, 2, 3].forEach(() => it.display(bundle)),
    { limit: 'display', allowed: 2 },
  ],
  [
    'characters that are shown past the guest’s own count',
    (it) => it.display(JSON.stringify({ 'text/plain': 'x'.repeat(60) })),
    { limit: 'display', allowed: 60 },
  ],
  [
    'calls',
    (it) =>
      [1, 2, 3, 4].forEach((number) => it.call({ ...call, call: number, line: null, isBlocking: false })),
    { limit: 'calls', allowed: 3 },
  ],
])('a run that goes beyond the bound on %s is told that bound', async (_name, guest, bound) => {
  expect(await run(guest)).toMatchObject({ type: 'exceeded', ...bound });
});

test.each<[RunResult, { limit: string; allowed: number }]>([
  [
    { type: 'exceeded', limit: 'result' },
    { limit: 'result', allowed: limits.resultBytes },
  ],
  [
    { type: 'exceeded', limit: 'memory' },
    { limit: 'memory', allowed: limits.memoryBytes },
  ],
  [
    { type: 'exceeded', limit: 'keys' },
    { limit: 'keys', allowed: 500 },
  ],
  [
    { type: 'exceeded', limit: 'fuel', allowed: 7 },
    { limit: 'fuel', allowed: 7 },
  ],
])('a result that says %o is told with its bound', async (result, bound) => {
  expect(await run(() => undefined, result)).toMatchObject({ type: 'exceeded', ...bound });
});
