import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { ModuleCatalog } from '../version/module-catalog.ts';
import { listenForUpdates } from './hot-update.ts';
import type { HotPayload } from './hot-update.ts';
import { reasonMs, UpdateWatch } from './update-watch.ts';

const entryPath = '/src/modules.worker.ts';
const entryUrl = `http://localhost:5173${entryPath}?worker_file&type=module`;
const general = expect.stringContaining('the console says why');

/** A worker whose entry is edited, and what its page hears. An entry that is evaluated anew loses the listeners it had, as in Vite. */
function edited() {
  const clock = new SimulatedClock();
  const told: unknown[] = [];
  const catalog = new ModuleCatalog({});
  catalog.attachPage((_method, body) => told.push((body as { message: string }).message));
  const scope = { catalog, servings: 1 };
  const watch = new UpdateWatch({ clock, served: () => scope });
  let listeners = new Map<string, (payload: HotPayload) => void>();
  const evaluate = (): void => {
    listeners = new Map();
    listenForUpdates({ on: (event, listener) => void listeners.set(event, listener) }, entryUrl, watch);
  };
  const update = (evaluation: () => void, path: string = entryPath): void => {
    listeners.get('vite:beforeUpdate')?.({ updates: [{ path: `${path}?worker_file&type=module` }] });
    evaluation();
    listeners.get('vite:afterUpdate')?.({});
  };
  evaluate();
  return {
    clock,
    told,
    /** It could be taken. */
    take: (): void =>
      update(() => {
        evaluate();
        scope.servings += 1;
      }),
    /** Something that the entry imports throws: the entry is not evaluated. */
    throwBelow: (): void => update(() => undefined),
    throwInEntry: (): void => update(evaluate),
    /** An update that is not of the entry. */
    updateElsewhere: (): void => update(() => undefined, '/src/other.ts'),
    say: (message: string): void => listeners.get('vite:error')?.({ err: { message } }),
  };
}

test('an edit that throws is told, when nobody has said why for half a second', async () => {
  const { clock, told, throwBelow } = edited();
  throwBelow();
  await clock.advance(reasonMs - 1);
  expect(told).toEqual([]);
  await clock.advance(1);
  expect(told).toEqual([general]);
  await clock.advance(10 * reasonMs);
  expect(told).toHaveLength(1);
});

test('an edit that the server cannot read is told once, in the words of the server', async () => {
  const { clock, told, throwBelow, say } = edited();
  throwBelow();
  say('unexpected token');
  await clock.advance(reasonMs);
  expect(told).toEqual(['unexpected token']);
});

test('an entry that throws itself is told, and so is what comes behind it', async () => {
  const { clock, told, throwInEntry, throwBelow, say } = edited();
  throwInEntry();
  await clock.advance(reasonMs);
  throwInEntry();
  await clock.advance(reasonMs);
  throwBelow();
  say('unexpected token');
  await clock.advance(reasonMs);
  expect(told).toEqual([general, general, 'unexpected token']);
});

test('an edit right behind one that was taken is told in its own time, not in that of the other', async () => {
  const { clock, told, take, throwBelow } = edited();
  take();
  await clock.advance(reasonMs - 1);
  throwBelow();
  await clock.advance(reasonMs - 1);
  expect(told).toEqual([]);
  await clock.advance(1);
  expect(told).toEqual([general]);
});

test('of two edits that follow at once, each is told', async () => {
  const { clock, told, throwBelow, say } = edited();
  throwBelow();
  say('unexpected token');
  throwBelow();
  await clock.advance(reasonMs);
  expect(told).toEqual(['unexpected token', general]);
  throwBelow();
  throwBelow();
  say('the words for the first');
  await clock.advance(reasonMs);
  expect(told.slice(2)).toEqual(['the words for the first', general]);
});

test('an edit that throws is told though a later one could be taken before its time had passed', async () => {
  const { clock, told, take, throwBelow } = edited();
  throwBelow();
  take();
  await clock.advance(reasonMs);
  expect(told).toEqual([general]);
});

test('nothing is told of edits that are taken, and of those that are not of the entry', async () => {
  const { clock, told, take, updateElsewhere } = edited();
  take();
  updateElsewhere();
  take();
  await clock.advance(10 * reasonMs);
  expect(told).toEqual([]);
});
