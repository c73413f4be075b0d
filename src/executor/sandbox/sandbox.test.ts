import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import { GuestRunner } from '../guest/guest-runner.ts';
import { python } from '../language/python/python.ts';
import { defaultLimits } from '../limits.ts';
import { denyByDefault } from '../policy/policy.ts';
import { prepareRun } from './prepare-run.ts';
import type { PreparedRun } from './prepare-run.ts';
import { createSandboxId } from './sandbox-id.ts';
import type { SandboxHost } from './sandbox-host.ts';
import { mostMessages, Sandbox } from './sandbox.ts';

const rules = { limits: defaultLimits, policy: denyByDefault, language: python };
const prepare = (): PreparedRun => prepareRun('1', {}, {}, rules);

interface Scene {
  readonly sandbox: Sandbox;
  readonly guest: MessagePort;
  readonly clock: SimulatedClock;
  readonly asked: () => number;
}

/** An interpreter whose port is the test's. */
function openSandbox(): Scene {
  const { port1, port2 } = new MessageChannel();
  let asked = 0;
  const host = {
    open: () => port1,
    close: () => undefined,
    watch: <T>(work: Promise<T>): Promise<T> => work,
    ping: () => Promise.resolve(void (asked += 1)),
  } as unknown as SandboxHost;
  const guest = { kind: 1, settings: {} } as never;
  const clock = new SimulatedClock();
  const options = { bounds: defaultLimits, hub: silentHub, clock, keepsTime: false };
  const sandbox = new Sandbox({ id: createSandboxId(), host, guest, ...options });
  return { sandbox, guest: port2, clock, asked: () => asked };
}

const silent = {
  output: () => undefined,
  display: () => undefined,
  call: () => undefined,
  exceed: () => undefined,
};

test.each([
  ['that count nothing', { type: 'output-write', run: 1, stream: 'stdout', text: '' }],
  ['of another run', { type: 'output-write', run: 7, stream: 'stdout', text: 'x' }],
  ['that it has started', { type: 'sandbox-ready' }],
])('a guest that sends messages %s without end is ended', async (_name, message) => {
  const { sandbox, guest } = openSandbox();
  const ended = sandbox.run(prepare(), silent);
  for (let sent = 0; sent <= mostMessages(prepare()); sent += 1) guest.postMessage(message);
  expect(await ended).toMatchObject({ type: 'dead', cause: 'protocol' });
  expect(sandbox.isAlive).toBe(false);
  guest.close();
});

test('whether the frame is there is asked, unless the interpreter has just spoken', async () => {
  const { sandbox, guest, clock, asked } = openSandbox();
  expect(await sandbox.isReachable()).toBe(true);
  expect(asked()).toBe(1);
  guest.postMessage({ type: 'sandbox-ready' });
  await sandbox.ready;
  await clock.advance(99);
  expect(await sandbox.isReachable()).toBe(true);
  expect(asked()).toBe(1);
  await clock.advance(1);
  expect(await sandbox.isReachable()).toBe(true);
  expect(asked()).toBe(2);
  guest.close();
});

test('runs that an earlier interpreter had not put aside count as missed until this one puts something aside', async () => {
  const { sandbox, guest } = openSandbox();
  const bounds = { sizeBytes: 1000, packageBytes: 0, timeMs: 100, idleMs: 100 };
  sandbox.keepSession(bounds, { run: 7, missedRuns: 2, parts: [], names: [], lost: [] });
  expect(sandbox.missedRuns).toBe(2);
  const running = sandbox.run(prepare(), silent);
  const result = JSON.stringify({ type: 'returned', value: null, variables: [] });
  guest.postMessage({ type: 'run-end', run: 1, result, buffers: [], isStateLost: false });
  expect(await running).toMatchObject({ type: 'result' });
  expect(sandbox.missedRuns).toBe(3);
  guest.postMessage({ type: 'session-save', run: 1, parts: [new ArrayBuffer(1)], names: ['x'], lost: [] });
  await expect.poll(() => sandbox.missedRuns).toBe(0);
  guest.close();
});

test('a guest that hides something in its messages is ended by the first', async () => {
  const { sandbox, guest } = openSandbox();
  const ended = sandbox.run(prepare(), silent);
  guest.postMessage({ type: 'output-write', run: 1, stream: 'stdout', text: 'x', more: new Map([[1, 2]]) });
  expect(await ended).toMatchObject({ type: 'dead', cause: 'protocol' });
  guest.close();
});

test('an honest guest that prints, calls and shows all that it may sends less', async () => {
  const clock = new SimulatedClock();
  let sent = 0;
  const runner = new GuestRunner(() => void (sent += 1), {}, clock);
  // far more calls than other messages, so that none of the others makes up for them
  const limits = { ...defaultLimits, toolCalls: 20_000 };
  runner.install({
    interruptName: 'KeyboardInterrupt',
    async run() {
      for (let index = 0; index < limits.displays; index += 1) {
        runner.emit('stdout', 'x');
        runner.emit('stderr', 'x');
        runner.display('{}');
        void runner.tools.start({ name: 'n', arguments: '[[],[]]', buffers: [], line: null });
      }
      for (let index = limits.displays; index < limits.toolCalls; index += 1) {
        runner.emit('stdout', 'x');
        runner.emit('stderr', 'x');
        void runner.tools.start({ name: 'n', arguments: '[[],[]]', buffers: [], line: null });
      }
      for (let atMs = 0; atMs < limits.wallTimeMs; atMs += 16) {
        await clock.advance(16);
        runner.emit('stdout', 'x');
        runner.emit('stderr', 'x');
      }
      for (let left = limits.outputBytes - 4096; left > 0; left -= 4096)
        runner.emit('stdout', 'x'.repeat(4096));
      return '{}';
    },
  });
  const { grant: _kept, ...start } = prepareRun('1', {}, {}, { ...rules, limits });
  await runner.receive({ type: 'run-start', run: 1, ...start, saving: null, hasTools: true });
  expect(sent).toBeGreaterThan(1000);
  expect(sent).toBeLessThan(mostMessages(start));
});

test('a run that has lost the state counts as none: what was put aside before it is what there is', async () => {
  const { sandbox, guest } = openSandbox();
  sandbox.keepSession({ sizeBytes: 100, packageBytes: 0, timeMs: 100, idleMs: 50 }, undefined);
  const result = JSON.stringify({ type: 'returned', value: null, variables: [] });
  const end = (run: number, isStateLost: boolean): void =>
    guest.postMessage({ type: 'run-end', run, result, buffers: [], isStateLost });
  const first = sandbox.run(prepare(), silent);
  end(1, false);
  guest.postMessage({ type: 'session-save', run: 1, parts: [new ArrayBuffer(8)], names: ['x'], lost: [] });
  await first;
  await sandbox.whenSaved();
  const second = sandbox.run(prepare(), silent);
  end(2, true);
  expect(await second).toMatchObject({ isStateLost: true });
  // nobody waits for it to be put aside
  await sandbox.whenSaved();
  expect([sandbox.saved?.run, sandbox.missedRuns]).toEqual([1, 0]);
  guest.close();
});

test('a run that has changed nothing counts as put aside, and nobody waits for it', async () => {
  const { sandbox, guest } = openSandbox();
  sandbox.keepSession({ sizeBytes: 100, packageBytes: 0, timeMs: 100, idleMs: 50 }, undefined);
  const result = JSON.stringify({ type: 'returned', value: null, variables: [] });
  const first = sandbox.run(prepare(), silent);
  guest.postMessage({ type: 'run-end', run: 1, result, buffers: [], isStateLost: false });
  guest.postMessage({ type: 'session-save', run: 1, parts: [new ArrayBuffer(8)], names: ['x'], lost: [] });
  await first;
  await sandbox.whenSaved();
  const second = sandbox.run(prepare(), silent);
  guest.postMessage({ type: 'run-end', run: 2, result, buffers: [], isStateLost: false, isStateSame: true });
  await second;
  await sandbox.whenSaved();
  expect(sandbox.saved).toMatchObject({ run: 2, names: ['x'] });
  expect(sandbox.missedRuns).toBe(0);
  guest.close();
});
