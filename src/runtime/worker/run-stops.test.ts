import { expect, test } from 'vitest';
import type { CallContext } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import { RunStops } from './run-stops.ts';

/** A call that can be given up, and knows who listens. */
function createCall(): { readonly call: CallContext; readonly listeners: Set<(error: CodedError) => void> } {
  const listeners = new Set<(error: CodedError) => void>();
  const onStop = (listener: (error: CodedError) => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const call = {
    onStop,
    signal: new AbortController().signal,
    keepPlace: () => undefined,
    span: undefined,
    delta: () => undefined,
  };
  return { call, listeners };
}

const cancelled = new CodedError('port/cancelled', 'as asked');
const stopped = new CodedError('actor/peer-died', 'it was stopped');

test('a run hears of its caller, its time or the end of its module, whichever comes first', async () => {
  const stops = new RunStops();
  const heard: string[] = [];
  const [first, second, third] = [createCall(), createCall(), createCall()];
  stops.of(first.call)((error) => heard.push(`first ${error.code}`));
  stops.of(second.call, 20)((error) => heard.push(`second ${error.code}`));
  stops.of(third.call, 60_000)((error) => heard.push(`third ${error.code}`));
  for (const listener of first.listeners) listener(cancelled);
  await expect.poll(() => heard).toEqual(['first port/cancelled', 'second port/timeout']);
  stops.stopAll(stopped);
  expect(heard).toContain('third actor/peer-died');
});

test('a run that has ended hears nothing more, and leaves nothing behind', async () => {
  const stops = new RunStops();
  const { call, listeners } = createCall();
  const heard: unknown[] = [];
  const leave = stops.of(call, 10)((error) => heard.push(error));
  leave();
  await new Promise((resolve) => setTimeout(resolve, 30));
  stops.stopAll(stopped);
  expect([heard, listeners.size]).toEqual([[], 0]);
});

test('what begins after the end is stopped at once', () => {
  const stops = new RunStops();
  stops.stopAll(stopped);
  const heard: unknown[] = [];
  const { call, listeners } = createCall();
  stops.of(call, 1)((error) => heard.push(error));
  expect([heard, listeners.size]).toEqual([[stopped], 0]);
});
