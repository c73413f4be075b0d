import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import { python } from '../language/python/python.ts';
import { resolveLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import { denyByDefault } from '../policy/policy.ts';
import { Execution } from './execution.ts';
import { prepareRun } from './prepare-run.ts';
import type { RunEnd, RunWatcher, Sandbox } from './sandbox.ts';

const limits = resolveLimits({ outputBytes: 10 });

/** What a run becomes in which the guest does this. */
function follow(guest: (watcher: RunWatcher) => void): Promise<Outcome> {
  let resolve = (_end: RunEnd): void => undefined;
  const sandbox = {
    id: 'one',
    isAlive: true,
    run(_prepared: unknown, watcher: RunWatcher): Promise<RunEnd> {
      const end = new Promise<RunEnd>((settle) => {
        resolve = settle;
      });
      guest(watcher);
      resolve({
        type: 'result',
        isStateLost: false,
        result: { type: 'returned', value: null, variables: {} },
      });
      return end;
    },
    kill(cause: never): void {
      this.isAlive = false;
      resolve({ type: 'dead', cause, message: '' });
    },
  };
  const packages = { isOpen: false, serve: () => Promise.resolve(null), supply: (run: unknown) => run };
  const dependencies = { clock: new SimulatedClock(), hub: silentHub, limits, packages } as never;
  const execution = new Execution(sandbox as unknown as Sandbox, {}, dependencies);
  return execution.run(prepareRun('1', {}, {}, { limits, policy: denyByDefault, language: python }));
}

test('a guest that goes round its own budget is ended, and no more is kept than may be', async () => {
  const outcome = await follow((watcher) => watcher.output('stdout', 'x'.repeat(11)));
  expect(outcome).toMatchObject({ type: 'exceeded', limit: 'output', allowed: 10, stdout: 'x'.repeat(10) });
  expect(outcome.isSandboxLost).toBe(true);
});
