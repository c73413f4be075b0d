import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideDependencies, DependencyTable, findCycle, stopOrder } from './dependency.ts';
import type { Dependency, DependencyEffect, DependencyEvent, Standing, WhenDown } from './dependency.ts';

const on = (...ids: string[]): Dependency[] => ids.map((id) => ({ id, whenDown: 'wait' }));

/** The rules once more, without order or shortcuts: what every module is, asked from scratch. */
class Model {
  readonly dependencies = new Map<string, readonly Dependency[]>();
  readonly up = new Set<string>();

  take(event: DependencyEvent): void {
    if (event.type === 'module-add') this.dependencies.set(event.id, event.dependencies);
    if (event.type === 'module-remove') {
      this.dependencies.delete(event.id);
      this.up.delete(event.id);
    }
    if (!this.dependencies.has(event.id)) return;
    if (event.type === 'module-up') this.up.add(event.id);
    if (event.type === 'module-down') this.up.delete(event.id);
  }

  serves(id: string): boolean {
    return ['ready', 'degraded'].includes(this.standing(id));
  }

  standing(id: string): Standing {
    if (!this.up.has(id)) return 'down';
    const down = (this.dependencies.get(id) ?? []).filter((dependency) => !this.serves(dependency.id));
    const worst = (['fail', 'wait', 'degrade'] as const).find((how) =>
      down.some((one) => one.whenDown === how),
    );
    return worst ? ({ fail: 'failing', wait: 'waiting', degrade: 'degraded' } as const)[worst] : 'ready';
  }

  /** What changes between this and what was before, to whoever is up. */
  newsSince(before: Model, cause: string): readonly DependencyEffect[] {
    const news: DependencyEffect[] = [];
    for (const id of new Set([...before.dependencies.keys(), ...this.dependencies.keys()])) {
      const standing = this.standing(id);
      if (standing !== before.standing(id)) news.push({ type: 'standing-change', id, standing });
      if (!this.up.has(id) || id === cause) continue;
      for (const { id: dependency, whenDown } of this.dependencies.get(id) ?? []) {
        if (before.serves(dependency) && !this.serves(dependency)) {
          news.push({ type: 'dependency-down', id, dependency, whenDown });
        } else if (!before.serves(dependency) && this.serves(dependency)) {
          news.push({ type: 'dependency-up', id, dependency });
        }
      }
    }
    return news;
  }

  copy(): Model {
    const copy = new Model();
    for (const [id, dependencies] of this.dependencies) copy.dependencies.set(id, dependencies);
    for (const id of this.up) copy.up.add(id);
    return copy;
  }
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const whenDown = fc.constantFrom<WhenDown>('wait', 'fail', 'degrade');

/** A module depends on later names only, so there is no cycle; some of them are never registered. */
const addition = fc.nat(names.length - 1).chain((at) =>
  fc
    .subarray(names.slice(at + 1))
    .chain((ids) => fc.tuple(...ids.map((id) => whenDown.map((how): Dependency => ({ id, whenDown: how })))))
    .map((dependencies): DependencyEvent => ({ type: 'module-add', id: names[at] as string, dependencies })),
);
const other = fc.record({
  type: fc.constantFrom(
    'module-up' as const,
    'module-up' as const,
    'module-down' as const,
    'module-remove' as const,
  ),
  id: fc.constantFrom(...names),
});
const history = fc
  .tuple(
    fc.array(addition, { minLength: 3, maxLength: 12 }),
    fc.array(fc.oneof({ weight: 6, arbitrary: other }, addition), { maxLength: 40 }),
  )
  .map(([first, then]): readonly DependencyEvent[] => {
    const ups = first.map(({ id }) => ({ type: 'module-up' as const, id }));
    return [...first, ...ups, ...then];
  });

const sorted = (effects: readonly DependencyEffect[]): string[] =>
  effects.map((effect) => JSON.stringify(effect)).toSorted();

test('after any ups and downs in any graph, everybody stands as the rules say and has heard of it', () => {
  let changes = 0;
  fc.assert(
    fc.property(history, (events) => {
      const table = new DependencyTable();
      const model = new Model();
      for (const event of events) {
        const before = model.copy();
        model.take(event);
        const effects = table.take(event);
        const standings = names.map((name) => table.nodes.get(name)?.standing ?? 'down');
        expect(standings).toEqual(names.map((name) => model.standing(name)));
        expect(sorted(effects)).toEqual(sorted(model.newsSince(before, event.id)));
        changes += effects.length;
      }
    }),
    { numRuns: 1_000 },
  );
  expect(changes).toBeGreaterThan(2_000);
});

test('whoever is told is told after what it depends on', () => {
  fc.assert(
    fc.property(history, (events) => {
      const table = new DependencyTable();
      for (const event of events) {
        const order = table.take(event).map(({ id }) => id);
        for (const [at, id] of order.entries()) {
          const later = new Set(order.slice(at + 1).filter((one) => one !== id));
          for (const dependency of table.nodes.get(id)?.dependencies ?? [])
            expect(later).not.toContain(dependency.id);
        }
      }
    }),
  );
});

test('deciding changes nothing', () => {
  const table = new DependencyTable();
  for (const event of [
    { type: 'module-add', id: 'a', dependencies: on('b') },
    { type: 'module-add', id: 'b', dependencies: [] },
    { type: 'module-up', id: 'a' },
  ] satisfies DependencyEvent[])
    table.take(event);
  const before = JSON.stringify([...table.nodes]);
  const { effects } = decideDependencies(table, { type: 'module-up', id: 'b' });
  expect(effects).toHaveLength(3);
  expect(JSON.stringify([...table.nodes])).toBe(before);
});

test('what nobody depends on any more is not remembered', () => {
  const table = new DependencyTable();
  table.take({ type: 'module-add', id: 'a', dependencies: on('b', 'c') });
  table.take({ type: 'module-add', id: 'a', dependencies: on('c') });
  expect([...table.dependents.keys()]).toEqual(['c']);
  table.take({ type: 'module-remove', id: 'a' });
  expect([table.dependents.size, table.nodes.size]).toEqual([0, 0]);
});

test('cycles of any length are found, whole and in order, also through modules that are not there yet', () => {
  for (let length = 1; length <= 50; length++) {
    const ring = Array.from({ length }, (_, at) => `m${at}`);
    const table = new DependencyTable();
    const last = ring.at(-1) as string;
    for (const [at, id] of ring.slice(0, -1).entries()) {
      const dependencies = on('elsewhere', ring[at + 1] as string);
      expect(findCycle(table.nodes, id, dependencies)).toBeUndefined();
      table.take({ type: 'module-add', id, dependencies });
    }
    const order = [...ring.slice(0, -1), last];
    const expected = [last, ...order.slice(0, -1), last];
    expect(findCycle(table.nodes, last, on('elsewhere', ring[0] as string))).toEqual(expected);
  }
});

test('a chain of ten thousand is no recursion', () => {
  const table = new DependencyTable();
  const count = 10_000;
  for (let at = 0; at < count; at++) {
    const dependencies = at === 0 ? [] : on(`m${at - 1}`);
    table.take({ type: 'module-add', id: `m${at}`, dependencies });
    table.take({ type: 'module-up', id: `m${at}` });
  }
  expect(table.take({ type: 'module-down', id: 'm0' })).toHaveLength(2 * count - 1);
  expect(findCycle(table.nodes, 'm0', on(`m${count - 1}`))).toHaveLength(count + 1);
  const ids = Array.from({ length: count }, (_, at) => `m${at}`);
  expect(stopOrder(table.dependents, ids)).toEqual(ids.toReversed());
});

test('stops come in the order asked for, but dependents come first', () => {
  fc.assert(
    fc.property(history, fc.shuffledSubarray(names), (events, ids) => {
      const table = new DependencyTable();
      for (const event of events) table.take(event);
      const order = stopOrder(table.dependents, ids);
      expect(order.toSorted()).toEqual(ids.toSorted());
      for (const [at, id] of order.entries()) {
        const above = new Set(table.dependents.get(id));
        expect(order.slice(at).filter((later) => above.has(later))).toEqual([]);
      }
    }),
  );
  expect(stopOrder(new Map(), ['c', 'a', 'b'])).toEqual(['c', 'a', 'b']);
});
