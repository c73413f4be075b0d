import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { cancellation, SimulatedClock } from '../../platform/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import type { PackageLoader } from '../language/package-loading.ts';
import { python } from '../language/python/python.ts';
import { resolveLimits } from '../limits.ts';
import type { ExecutorLimits } from '../limits.ts';
import { resolvePolicy } from '../policy/policy.ts';
import { SandboxExecutor } from './sandbox-executor.ts';
import { TrustDomain } from './trust-domain.ts';
import type { CreateHost } from './trust-domain.ts';

const noFrame = new CodedError('executor/frame-unavailable', 'no page');
const failToStart: CreateHost = () => Promise.reject(noFrame);

interface Scene {
  readonly createHost?: CreateHost;
  readonly limits?: Partial<ExecutorLimits>;
}

/** An executor without a page: whoever comes as far as to need an interpreter ends as `failed`. Its packages come when they are told to. */
function createExecutor({ createHost = failToStart, limits: asked = {} }: Scene = {}) {
  const clock = new SimulatedClock();
  const hub = createHub(clock);
  const sink = createMemorySink(hub);
  const limits = resolveLimits({ warmSandboxes: 0, ...asked });
  const seen = { loads: 0, ended: 0, starts: 0 };
  const arrivals: (() => void)[] = [];
  const loader: PackageLoader = {
    load: (_requests, { signal }) => {
      seen.loads += 1;
      return new Promise((resolve, reject) => {
        arrivals.push(() => resolve({ header: new Uint8Array(), content: new Uint8Array(), packages: [] }));
        signal.addEventListener('abort', () => {
          seen.ended += 1;
          reject(cancellation(signal));
        });
      });
    },
  };
  const counting: CreateHost = (signal) => {
    seen.starts += 1;
    return createHost(signal);
  };
  const fetchFiles = () => Promise.resolve({ worker: '', assets: [] });
  const { bootTimeoutMs } = limits;
  const executor = new SandboxExecutor({
    language: { ...python, loadPackages: () => Promise.resolve(loader) },
    domain: new TrustDomain({ createHost: counting, fetchFiles, clock, hub, bootTimeoutMs }),
    ownsDomain: true,
    isStripped: true,
    limits,
    policy: resolvePolicy(),
    clock,
    hub,
  });
  return { executor, sink, seen, arrivals, clock };
}

const packages = { packages: ['six'] };

test('disposal ends the runs that wait for their packages, and the fetches', async () => {
  const { executor, seen } = createExecutor();
  const controller = new AbortController();
  const runs = [
    executor.execute('1', packages),
    executor.execute('2', packages, { signal: controller.signal }),
  ];
  await expect.poll(() => seen.loads).toBe(2);
  await executor[Symbol.asyncDispose]();
  expect(await Promise.all(runs)).toMatchObject([{ type: 'cancelled' }, { type: 'cancelled' }]);
  expect(seen).toEqual({ loads: 2, ended: 2, starts: 0 });
});

test('a signal ends one of the runs that wait for their packages, and no other', async () => {
  const { executor, seen, arrivals } = createExecutor();
  const controller = new AbortController();
  const leaving = executor.execute('1', packages, { signal: controller.signal });
  const staying = executor.execute('2', packages);
  await expect.poll(() => seen.loads).toBe(2);
  controller.abort();
  expect(await leaving).toMatchObject({ type: 'cancelled' });
  for (const arrive of arrivals) arrive();
  expect(await staying).toMatchObject({ type: 'failed', code: 'executor/frame-unavailable' });
  expect(seen.ended).toBe(1);
});
