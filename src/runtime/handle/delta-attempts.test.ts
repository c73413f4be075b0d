import { expect, test } from 'vitest';
import { Module } from '../../program/index.ts';
import type { PredictDelta, Run } from '../../program/index.ts';
import { runtimesOf } from '../runtime-test-scene.ts';
import { DeltaAttempts } from './delta-attempts.ts';

/** Tells two pieces, and ends only when the test lets it. */
class Teller extends Module<null, string> {
  static isHeld = true;

  override async forward(_: null, run: Run): Promise<string> {
    for (const text of ['one ', 'two']) run.settings.onDelta?.({ path: run.path, index: 0, text });
    if (Teller.isHeld) await new Promise(() => undefined);
    return 'one two';
  }
}

class Around extends Module<null, string> {
  readonly teller: Teller = new Teller();

  override async forward(_: null, run: Run): Promise<string> {
    run.settings.onDelta?.({ path: run.path, index: 0, text: 'zero ' });
    return this.teller.call(null);
  }
}

const createRuntime = runtimesOf({ modules: { teller: Teller, around: Around } });

/** What a listener has of each path that lets a greater number begin anew. */
function shown(deltas: readonly PredictDelta[]): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  const last: Record<string, number> = {};
  for (const { path, text, attempt = 1 } of deltas) {
    texts[path] = (attempt > (last[path] ?? 1) ? '' : (texts[path] ?? '')) + text;
    last[path] = attempt;
  }
  return texts;
}

test('what a call tells that is made once more says so, and each further time', async () => {
  Teller.isHeld = true;
  const runtime = createRuntime();
  const teller = await runtime.start('teller', { id: 't' });
  const heard: PredictDelta[] = [];
  const onDelta = (delta: PredictDelta): void => {
    heard.push(delta);
    if (heard.length % 2 === 1) return;
    Teller.isHeld = heard.length < 4;
    if (heard.length < 6) runtime.killWorkerOf('t');
  };
  expect(await teller.call(null, { isIdempotent: true, onDelta })).toBe('one two');
  expect(heard.map(({ attempt, text }) => [attempt, text])).toEqual([
    [undefined, 'one '],
    [undefined, 'two'],
    [2, 'one '],
    [2, 'two'],
    [3, 'one '],
    [3, 'two'],
  ]);
  expect(shown(heard)).toEqual({ '': 'one two' });
});

test('local: what the copy tells after the actor was lost says so, and what the program around it told stays', async () => {
  Teller.isHeld = true;
  const runtime = createRuntime();
  const actors = { teller: { kind: 'teller', isolation: 'dedicated', whenDown: 'local' } } as const;
  const around = await runtime.start('around', { id: 'a', actors });
  const heard: PredictDelta[] = [];
  const call = around.call(null, { onDelta: (delta) => heard.push(delta) });
  await expect.poll(() => heard.length).toBe(3);
  Teller.isHeld = false;
  runtime.killWorkerOf('a/teller');
  expect(await call).toBe('one two');
  expect(heard.map(({ path, attempt }) => [path, attempt])).toEqual([
    ['', undefined],
    ['teller', undefined],
    ['teller', undefined],
    ['teller', 2],
    ['teller', 2],
  ]);
  expect(shown(heard)).toEqual({ '': 'zero ', teller: 'one two' });
});

test('an attempt around one inside of it goes on counting', () => {
  const heard: PredictDelta[] = [];
  const outer = new DeltaAttempts((delta) => heard.push(delta));
  const tell = (path: string, to: DeltaAttempts): void => to.onDelta({ path, index: 0, text: 'x' });
  const run = (): void => {
    const inner = new DeltaAttempts(outer.onDelta);
    tell('part.ask', inner);
    inner.begin('part');
    tell('part.ask', inner);
    tell('partner', inner);
  };
  outer.begin();
  run();
  outer.begin();
  run();
  const numbers = heard.map(({ path, attempt = 1 }) => [path, attempt]);
  expect(numbers).toEqual([
    ['part.ask', 1],
    ['part.ask', 2],
    ['partner', 1],
    ['part.ask', 3],
    ['part.ask', 4],
    ['partner', 3],
  ]);
});
