import { afterEach, expect, test, vi } from 'vitest';
import { SimulatedClock, seededRandom } from '../platform/index.ts';
import { createHub, silentHub } from './hub.ts';
import type { StampedEvent } from './event.ts';
import { attachConsoleSink } from './sink/console.ts';
import { createMemorySink } from './sink/memory.ts';
import { createSpan } from './span.ts';

afterEach(() => void vi.restoreAllMocks());

test('every listener gets every event, stamped once, until it leaves', () => {
  const hub = createHub(new SimulatedClock(1000));
  const heard: StampedEvent[][] = [[], []];
  const ends = heard.map((events) => hub.subscribe((event) => events.push(event)));
  hub.emit({ type: 'note', text: 'one' });
  ends[0]?.();
  hub.emit({ type: 'note', text: 'two' });
  expect(heard.map((events) => events.map((event) => (event as { text: string }).text))).toEqual([
    ['one'],
    ['one', 'two'],
  ]);
  expect(heard[1]?.[0]).toEqual({ type: 'note', text: 'one', atMs: 1000 });
  expect(hub.isActive).toBe(true);
  ends[1]?.();
  expect(hub.isActive).toBe(false);
});

test('a listener that throws disturbs neither the emitter nor its neighbours', () => {
  const hub = createHub();
  const heard = vi.fn<() => void>();
  hub.subscribe(() => {
    throw new Error('broken');
  });
  hub.subscribe(heard);
  hub.emit({ type: 'note', text: 'one' });
  expect(heard).toHaveBeenCalledOnce();
});

test('a silent hub takes everything and tells nobody', () => {
  const heard = vi.fn<() => void>();
  silentHub.subscribe(heard)();
  silentHub.emit({ type: 'note', text: 'one' });
  silentHub.forward({ type: 'note', text: 'one', atMs: 0 });
  expect(heard).not.toHaveBeenCalled();
});

test('the memory sink keeps the newest, within its bound, until it is disposed', () => {
  const hub = createHub();
  const sink = createMemorySink(hub, 3);
  for (const text of ['a', 'b', 'c', 'd']) hub.emit({ type: 'note', text });
  hub.emit({ type: 'module-stop', module: 'm' });
  expect(sink.events).toHaveLength(3);
  expect(sink.ofType('note').map(({ text }) => text)).toEqual(['c', 'd']);
  sink.clear();
  sink[Symbol.dispose]();
  hub.emit({ type: 'note', text: 'e' });
  expect(sink.events).toEqual([]);
  expect(hub.isActive).toBe(false);
});

test('the console sink writes failures as warnings, and only what is accepted', () => {
  const info = vi.spyOn(console, 'info').mockImplementation(() => undefined);
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  const hub = createHub(new SimulatedClock(0));
  const detach = attachConsoleSink(hub, ({ type }) => type !== 'module-stop');
  hub.emit({ type: 'note', text: 'a' });
  hub.emit({ type: 'module-stop', module: 'm' });
  hub.emit({ type: 'store-fail', store: 's', error: { code: 'state/x', message: 'y' } });
  detach();
  hub.emit({ type: 'note', text: 'b' });
  expect(info.mock.calls).toEqual([['1970-01-01T00:00:00.000Z note', { text: 'a' }]]);
  expect(warn.mock.calls).toHaveLength(1);
});

test('a child span keeps the trace and has an id of its own', () => {
  const random = seededRandom(1);
  const root = createSpan(undefined, random);
  const child = createSpan(root, random);
  expect(root).toEqual({
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    spanId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
  });
  expect(child.traceId).toBe(root.traceId);
  expect(child.spanId).not.toBe(root.spanId);
});

test('steps down of the platform are remembered while nobody listens, each once, the first hundred', () => {
  const clock = new SimulatedClock(3);
  const hub = createHub(clock);
  const degrade = (to: string): void =>
    hub.emit({ type: 'platform-degrade', what: 'store', from: 'indexeddb', to, reason: 'as asked' });
  degrade('memory');
  degrade('memory');
  hub.forward({
    type: 'platform-degrade',
    what: 'host',
    from: 'worker',
    to: 'page',
    reason: 'elsewhere',
    atMs: 9,
  });
  expect(hub.degradations.map(({ what, to, atMs }) => [what, to, atMs])).toEqual([
    ['store', 'memory', 3],
    ['host', 'page', 9],
  ]);
  for (let at = 0; at < 200; at++) degrade(`number ${at}`);
  expect(hub.degradations).toHaveLength(100);
  expect(silentHub.degradations).toEqual([]);
});
