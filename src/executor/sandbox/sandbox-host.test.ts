import { afterEach, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { FrameCommand, FrameReport } from './protocol.ts';
import { PortSandboxHost } from './sandbox-host.ts';

const answerMs = 5000;
const open: Disposable[] = [];

afterEach(() => {
  for (const resource of open.splice(0)) resource[Symbol.dispose]();
});

/** A page that can be stalled: nothing of it runs, then its timers run late, and only then its messages. */
class StallingClock extends SimulatedClock {
  #stalledMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.#stalledMs;
  }

  async stall(byMs: number): Promise<void> {
    this.#stalledMs += byMs - answerMs;
    await this.advance(answerMs);
  }
}

/** A host whose realm answers when it is told to. */
function createHost() {
  const clock = new StallingClock();
  const { port1, port2 } = new MessageChannel();
  const commands: FrameCommand[] = [];
  let removed = 0;
  const host = new PortSandboxHost(port1, { clock, answerMs, remove: () => void (removed += 1) });
  port2.onmessage = (event: MessageEvent<FrameCommand>) => void commands.push(event.data);
  open.push(host, { [Symbol.dispose]: () => port2.close() });
  const answer = (): void => {
    for (const command of commands.splice(0)) {
      if (!('command' in command)) continue;
      const report: FrameReport = { type: 'command-done', command: command.command };
      port2.postMessage(report);
    }
  };
  return { clock, host, commands, answer, removed: () => removed };
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'answered',
    (error: { readonly code: unknown }) => error.code,
  );

test('a stalled page asks once more, and a healthy frame stays', async () => {
  const { clock, host, commands, answer, removed } = createHost();
  const asked = codeOf(host.ping());
  await clock.stall(12_000);
  await expect.poll(() => commands.map(({ type }) => type)).toEqual(['frame-ping', 'frame-ping']);
  answer();
  expect(await asked).toBe('answered');
  expect(host.isLost).toBe(false);
  await clock.advance(100_000);
  expect(removed()).toBe(0);
});

test('a frame that is silent while the page is awake is lost on time', async () => {
  const { clock, host, removed } = createHost();
  const asked = codeOf(host.interrupt('s' as never, 1));
  await clock.advance(answerMs - 1);
  expect(host.isLost).toBe(false);
  await clock.advance(1);
  expect(await asked).toBe('executor/frame-lost');
  expect(removed()).toBe(1);
});

test('a frame that stays silent after a stall is lost after the whole time again', async () => {
  const { clock, host, removed } = createHost();
  const asked = codeOf(host.ping());
  await clock.stall(12_000);
  expect(host.isLost).toBe(false);
  await clock.advance(answerMs);
  expect(await asked).toBe('executor/frame-lost');
  expect(removed()).toBe(1);
});

test('a page that is always late finds out in the end', async () => {
  const { clock, host } = createHost();
  const asked = codeOf(host.ping());
  for (let round = 0; round < 30 && !host.isLost; round += 1) await clock.stall(12_000);
  expect(await asked).toBe('executor/frame-lost');
});
