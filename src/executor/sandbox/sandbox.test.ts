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

/** An interpreter whose port is the test's. */
function openSandbox(): { readonly sandbox: Sandbox; readonly guest: MessagePort } {
  const { port1, port2 } = new MessageChannel();
  const host = {
    open: () => port1,
    close: () => undefined,
    watch: <T>(work: Promise<T>): Promise<T> => work,
  } as unknown as SandboxHost;
  const guest = { kind: 1, settings: {} } as never;
  const id = createSandboxId();
  const sandbox = new Sandbox({ id, host, guest, bounds: defaultLimits, hub: silentHub, keepsTime: false });
  return { sandbox, guest: port2 };
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
  const { limits } = rules;
  runner.install({
    interruptName: 'KeyboardInterrupt',
    async run() {
      for (let index = 0; index < limits.displays; index += 1) {
        runner.emit('stdout', 'x');
        runner.emit('stderr', 'x');
        runner.display('{}');
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
  const { grant: _kept, ...start } = prepare();
  await runner.receive({ type: 'run-start', run: 1, ...start, saving: null, hasTools: true });
  expect(sent).toBeGreaterThan(1000);
  expect(sent).toBeLessThan(mostMessages(start));
});
