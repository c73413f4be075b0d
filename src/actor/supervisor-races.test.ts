import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../platform/index.ts';
import { silentHub } from '../telemetry/index.ts';
import type { StartBehaviour } from './behaviour.ts';
import { inThreadRealm } from './realm.ts';
import type { RestartLimits } from './restart.ts';
import { Supervisor } from './supervisor.ts';
import { ActorSystem } from './system.ts';

const open: ActorSystem[] = [];

afterEach(() => {
  for (const system of open.splice(0)) system.close();
});

/** Starts wait for `gate`, so that a test can act while they wait. */
class Scene {
  readonly system: ActorSystem;
  readonly supervisor: Supervisor;
  readonly errors: string[] = [];
  gate: Promise<void> = Promise.resolve();
  starts = 0;

  constructor(limits?: RestartLimits) {
    const gated: StartBehaviour = async () => {
      this.starts++;
      await this.gate;
      return { call: (_, body) => body };
    };
    this.system = new ActorSystem({
      createRealm: () => inThreadRealm({ gated }),
      isWatched: false,
      poolSize: 1,
    });
    open.push(this.system);
    this.supervisor = new Supervisor({
      id: 'top',
      system: this.system,
      clock: systemClock,
      hub: silentHub,
      onGiveUp: (error) => this.errors.push(error.code),
      ...(limits ? { limits } : {}),
    });
  }

  async add(id: string, isDedicated = false): Promise<void> {
    await this.supervisor.add({ id, spawn: () => ({ kind: 'gated', isDedicated }) });
  }

  /** From now on starts wait until the returned function is called. */
  close(): () => void {
    let release = (): void => undefined;
    this.gate = new Promise((resolve) => (release = resolve));
    return () => {
      this.gate = Promise.resolve();
      release();
    };
  }

  get running(): string[] {
    return this.system.workers.flatMap(({ actors }) => actors);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test('a child that starts while its supervisor gives up does not outlive it', async () => {
  const scene = new Scene({ maxRestarts: 0, maxSeconds: 5 });
  await scene.add('doomed', true);
  const openGate = scene.close();
  const late = scene.add('late').catch((error: unknown) => error);
  await turn();
  scene.system.killWorkerOf('doomed');
  expect(scene.errors).toEqual(['actor/supervisor-gave-up']);
  openGate();
  expect(await late).toMatchObject({ code: 'actor/supervisor-gave-up' });
  expect(scene.running).toEqual([]);
});

test('a restart that is under way when its supervisor gives up does not outlive it, nor is it announced', async () => {
  const scene = new Scene({ maxRestarts: 1, maxSeconds: 5 });
  const announced: string[] = [];
  const spec = { spawn: () => ({ kind: 'gated', isDedicated: true }) };
  for (const id of ['a', 'b']) await scene.supervisor.add({ ...spec, id, onStart: () => announced.push(id) });
  const openGate = scene.close();
  scene.system.killWorkerOf('a');
  await turn();
  scene.system.killWorkerOf('b');
  openGate();
  await turn();
  expect(scene.errors).toEqual(['actor/supervisor-gave-up']);
  expect(scene.running).toEqual([]);
  expect(announced).toEqual(['a', 'b']);
});

test('a child that is removed while it restarts is gone, and may be added anew at once', async () => {
  const scene = new Scene();
  await scene.add('a');
  const openGate = scene.close();
  scene.system.killWorkerOf('a');
  await turn();
  await scene.supervisor.remove('a');
  openGate();
  await scene.add('a');
  await turn();
  expect(scene.errors).toEqual([]);
  expect(scene.supervisor.whichChildren()).toMatchObject([{ id: 'a', status: 'running' }]);
  expect(scene.running).toEqual(['a']);
  expect(scene.starts).toBe(3);
});

test('a worker that is lost while it restarts many children is one failure more, not one for each', async () => {
  const scene = new Scene({ maxRestarts: 3, maxSeconds: 60 });
  for (let index = 0; index < 20; index++) await scene.add(`child-${index}`);
  const openGate = scene.close();
  scene.system.killWorkerOf('child-0');
  await turn();
  scene.system.killWorkerOf('child-0');
  await turn();
  openGate();
  await expect
    .poll(() => scene.supervisor.whichChildren().every(({ status }) => status === 'running'))
    .toBe(true);
  expect(scene.errors).toEqual([]);
  expect(scene.supervisor.restartsLeft).toBe(1);
});
