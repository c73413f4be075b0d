import { describe, expect, it } from 'vitest';
import { CallQueue } from './call-queue.ts';

const never = new AbortController().signal;
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('CallQueue', () => {
  it('runs one call at a time, in order, and goes on after a failure', async () => {
    const queue = new CallQueue();
    const seen: string[] = [];
    const first = gate();
    const calls = [
      queue.enter(0, never, async () => {
        seen.push('first starts');
        await first.opened;
        seen.push('first ends');
        throw new Error('first fails');
      }),
      queue.enter(0, never, async () => seen.push('second')),
    ];
    await tick();
    expect(seen).toEqual(['first starts']);
    first.open();
    await expect(calls[0]).rejects.toThrow('first fails');
    await calls[1];
    expect(seen).toEqual(['first starts', 'first ends', 'second']);
  });

  it('refuses one call too many, and takes calls again when there is room', async () => {
    const queue = new CallQueue({ maxCalls: 2 });
    const first = gate();
    const running = queue.enter(0, never, () => first.opened);
    const waiting = queue.enter(0, never, async () => 2);
    await expect(queue.enter(0, never, async () => 3)).rejects.toMatchObject({
      code: 'compute/queue-full',
      isRetryable: true,
      fields: { calls: 3, maxCalls: 2 },
    });
    first.open();
    await running;
    expect(await waiting).toBe(2);
    expect(await queue.enter(0, never, async () => 4)).toBe(4);
  });

  it('refuses a byte too many', async () => {
    const queue = new CallQueue({ maxBytes: 100 });
    const first = gate();
    const running = queue.enter(60, never, () => first.opened);
    await expect(queue.enter(41, never, async () => 1)).rejects.toMatchObject({
      code: 'compute/queue-full',
      fields: { bytes: 101, maxBytes: 100 },
    });
    const fits = queue.enter(40, never, async () => 'fits');
    first.open();
    await running;
    expect(await fits).toBe('fits');
  });

  it('lets a waiting call leave at once, and never starts it', async () => {
    const queue = new CallQueue({ maxCalls: 2 });
    const first = gate();
    const leaving = new AbortController();
    let hasStarted = false;
    const running = queue.enter(0, never, () => first.opened);
    const waiting = queue.enter(0, leaving.signal, async () => (hasStarted = true));
    leaving.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'port/cancelled' });
    const last = queue.enter(0, never, async () => 'last');
    first.open();
    await running;
    expect(await last).toBe('last');
    expect(hasStarted).toBe(false);
    await expect(queue.enter(0, leaving.signal, async () => 1)).rejects.toMatchObject({
      code: 'port/cancelled',
    });
  });
});
