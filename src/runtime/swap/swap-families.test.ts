/** Swaps of programs whose sub-modules are actors of their own: of the part, and of the module around it. */
import { afterEach, expect, test } from 'vitest';
import { sleep, systemClock } from '../../platform/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';

class Critic extends Module<null, string> {
  static readonly version: string = '1.0.0';
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 10 });

  override forward(): Promise<string> {
    const { version } = this.constructor as typeof Critic;
    return Promise.resolve(`critic ${version}, ${this.limit.value}`);
  }
}

class CarefulCritic extends Critic {
  static override readonly version: string = '1.1.0';
}

class Pipeline extends Module<null, string> {
  static readonly version: string = '1.0.0';
  readonly rounds: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly critic: Critic = new Critic();

  override async forward(): Promise<string> {
    const { version } = this.constructor as typeof Pipeline;
    return `pipeline ${version}, ${this.rounds.value}: ${await this.critic.call(null)}`;
  }
}

class LongPipeline extends Pipeline {
  static override readonly version: string = '1.1.0';
}

const modules = { critic: [Critic, CarefulCritic], pipeline: [Pipeline, LongPipeline] };
const open: Runtime<typeof modules>[] = [];
afterEach(async () => {
  for (const runtime of open.splice(0)) await runtime.close();
});

async function start(): Promise<Runtime<typeof modules>> {
  const runtime = createRuntime({ modules, poolSize: 1 });
  open.push(runtime);
  const actors = { critic: { kind: 'critic', whenDown: 'restart' } } as const;
  await runtime.start('pipeline', { id: 'p', version: '1.0.0', actors });
  return runtime;
}

const turn = (): Promise<void> => sleep(systemClock, 5);
const idempotent = { isIdempotent: true };

test('the module around a part is swapped, and asks the same part with the same parameters', async () => {
  const runtime = await start();
  const pipeline = runtime.module('p');
  await pipeline.parameter('critic.limit').set(30);
  await pipeline.parameter('rounds').set(2);
  const { version: part } = pipeline.subModule('critic');
  await pipeline.swap({ version: '1.1.0' });
  expect(await pipeline.call(null)).toBe(`pipeline 1.1.0, 2: critic ${part}, 30`);
  await pipeline.parameter('critic.limit').set(31);
  expect(await pipeline.call(null)).toBe(`pipeline 1.1.0, 2: critic ${part}, 31`);
  runtime.killWorkerOf('p');
  expect(await pipeline.call(null, idempotent)).toBe(`pipeline 1.1.0, 2: critic ${part}, 31`);
});

test('a part is swapped by itself, and the module around it asks the new one', async () => {
  const runtime = await start();
  const pipeline = runtime.module('p');
  await pipeline.parameter('critic.limit').set(30);
  const critic = pipeline.subModule('critic');
  await critic.swap({ version: '1.0.0' });
  expect(await pipeline.call(null)).toBe('pipeline 1.0.0, 1: critic 1.0.0, 30');
  await critic.swap({ version: '1.1.0' });
  expect(await pipeline.call(null)).toBe('pipeline 1.0.0, 1: critic 1.1.0, 30');
  await pipeline.parameter('critic.limit').set(31);
  await turn();
  runtime.killWorkerOf('p');
  expect(await pipeline.call(null, idempotent)).toBe('pipeline 1.0.0, 1: critic 1.1.0, 31');
});
