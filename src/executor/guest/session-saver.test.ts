import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { GuestMessage } from '../sandbox/protocol.ts';
import type { Engine, SavedState } from './engine.ts';
import { SessionSaver } from './session-saver.ts';

const bounds = { sizeBytes: 100, packageBytes: 0, timeMs: 100, idleMs: 50 };
const state: SavedState = { parts: [new ArrayBuffer(8), null], names: ['x'], lost: [] };

/** @param answers what is answered to a save, in turn */
function open(...answers: readonly (SavedState | 'later' | undefined | Error)[]) {
  const left = [...answers];
  const asked: boolean[] = [];
  const sent: GuestMessage[] = [];
  const dead: unknown[] = [];
  const clock = new SimulatedClock();
  const saver = new SessionSaver({
    send: (message) => void sent.push(message),
    clock,
    die: (error) => void dead.push(error),
  });
  const engine: Engine = {
    interruptName: 'Stop',
    run: () => '',
    save(_bounds, isIdle) {
      asked.push(isIdle);
      const answer = left.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { saver, engine, sent, asked, dead, clock };
}

test('what is quick is sent at once', () => {
  const { saver, engine, sent } = open(state);
  saver.save(engine, 3, bounds);
  expect(sent).toEqual([{ type: 'session-save', run: 3, ...state }]);
});

test('what takes long waits until nothing has run for a while, and says when it begins', async () => {
  const { saver, engine, sent, asked, clock } = open('later', state);
  saver.save(engine, 1, bounds);
  expect(sent).toEqual([{ type: 'session-unsaved', run: 1 }]);
  await clock.advance(49);
  expect(asked).toEqual([false]);
  await clock.advance(1);
  expect(asked).toEqual([false, true]);
  expect(sent.slice(1)).toMatchObject([{ type: 'session-saving' }, { type: 'session-save', run: 1 }]);
});

test('a run that begins meanwhile puts it off', async () => {
  const { saver, engine, asked, clock } = open('later', state);
  saver.save(engine, 1, bounds);
  saver.cancel();
  await clock.advance(1000);
  expect(asked).toEqual([false]);
});

test('every save is answered, also the one that cannot be done; an engine that throws is at its end', () => {
  const { saver, engine, sent, dead } = open(undefined, new Error('fatal'));
  saver.save(engine, 1, bounds);
  expect(sent).toEqual([{ type: 'session-unsaved', run: 1 }]);
  saver.save(engine, 2, bounds);
  expect(dead).toHaveLength(1);
});

test('what takes a while to be brought back is answered when it is there; what cannot be ends the engine', async () => {
  const { saver, engine, sent, dead } = open();
  const lost = [{ name: 'x', reason: 'gone' }];
  await saver.restore({ ...engine, restore: async () => Promise.resolve(lost) }, [new ArrayBuffer(1)]);
  expect(sent).toEqual([{ type: 'session-restored', lost }]);
  await saver.restore({ ...engine, restore: () => Promise.reject(new Error('no image')) }, []);
  expect([sent.length, dead]).toEqual([1, [new Error('no image')]]);
});
