import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import { defineMigrations } from './define-migrations.ts';
import type { Migrations } from './define-migrations.ts';
import type { MigrationStep } from './migration-graph.ts';
import type { SchemaVersion } from './schema-version.ts';

const keep = (state: unknown): unknown => state;
const step = (from: SchemaVersion, to: SchemaVersion, hasDown = false): MigrationStep =>
  hasDown ? { from, to, up: keep, down: keep } : { from, to, up: keep };
const define = (...steps: MigrationStep[]): Migrations => defineMigrations({ name: 'note', steps });
const thrownBy = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

interface Note {
  readonly title: string;
}

/** Renames, then splits; the way back joins again. */
const notes = defineMigrations({
  name: 'note',
  steps: [
    {
      from: 1,
      to: 2,
      up: ({ name }: { name: string }) => ({ title: name }),
      down: ({ title }: Note) => ({ name: title }),
    },
    {
      from: 2,
      to: 3,
      up: async ({ title }: Note) => ({ title, words: title.split(' ') }),
      down: ({ title }: Note) => ({ title }),
    },
  ],
});

describe('steps', () => {
  test('lead up and down, one after the other', async () => {
    const up = await notes.run({ name: 'to do' }, { from: 1 });
    expect(up).toEqual({
      state: { title: 'to do', words: ['to', 'do'] },
      path: [
        { from: 1, to: 2, direction: 'up' },
        { from: 2, to: 3, direction: 'up' },
      ],
    });
    const down = await notes.run(up.state, { from: 3, to: 1 });
    expect(down).toMatchObject({ state: { name: 'to do' }, path: [{ direction: 'down' }, { to: 1 }] });
  });

  test('are none from a version to itself; the state is a copy all the same', async () => {
    const state = { name: 'x' };
    const result = await notes.run(state, { from: 1, to: 1 });
    expect(result).toEqual({ state, path: [] });
    expect(result.state).not.toBe(state);
  });

  test('get a frozen copy, and what they keep changes nothing', async () => {
    const kept: { list: number[] }[] = [];
    const own = { list: [1] };
    const migrations = define(
      {
        from: 1,
        to: 2,
        up: (state: { list: number[] }) => {
          expect(() => state.list.push(2)).toThrow(TypeError);
          const made = { list: [...state.list, 2] };
          kept.push(made);
          return made;
        },
      },
      {
        from: 2,
        to: 3,
        up: (state: { list: number[] }) => {
          kept[0]?.list.push(9);
          return { list: [...state.list, 3] };
        },
      },
    );
    expect((await migrations.run(own, { from: 1 })).state).toEqual({ list: [1, 2, 3] });
    expect(own).toEqual({ list: [1] });
    expect(Object.isFrozen(own)).toBe(false);
  });
});

describe('a step that fails names itself', () => {
  const failing = (up: MigrationStep['up']): Migrations => define(step(1, 2), { from: 2, to: 3, up });
  const fields = { name: 'note', from: 2, to: 3, direction: 'up' };

  test.each([
    [
      'throws',
      'threw',
      () => {
        throw new Error('no title');
      },
    ],
    [
      'throws nothing',
      'threw',
      () => {
        throw undefined;
      },
    ],
    ['rejects', 'threw', () => Promise.reject(new Error('later'))],
    ['returns nothing', 'returned nothing', () => undefined],
    ['returns a function', 'returned what cannot be stored', () => ({ a: () => 1 })],
    [
      'returns too deep a state',
      'returned what cannot be stored',
      () => JSON.parse('['.repeat(300) + ']'.repeat(300)) as unknown,
    ],
    [
      'writes to the state',
      'threw',
      (state: { a: number }) => {
        state.a = 2;
        return state;
      },
    ],
  ] as const)('%s', async (_what, why, up) => {
    const state = { a: 1 };
    await expect(failing(up).run(state, { from: 1 })).rejects.toMatchObject({
      code: 'state/migration-failed',
      fields: { ...fields, why },
    });
    expect(state).toEqual({ a: 1 });
  });

  test('never ends', async () => {
    const clock = new SimulatedClock();
    let isAborted = false;
    const migrations = failing((_state, { signal }) => {
      signal.addEventListener('abort', () => (isAborted = true));
      return new Promise(() => undefined);
    });
    const running = migrations.run({}, { from: 1, clock, timeoutMs: 1000 });
    const outcome = running.catch((error: unknown) => error);
    // the first step, which ends at once, comes before
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    await clock.advance(1000);
    expect(await outcome).toMatchObject({
      code: 'state/migration-failed',
      fields: { ...fields, why: 'was not done within 1000 ms' },
    });
    expect(isAborted).toBe(true);
  });

  test('is cancelled', async () => {
    const controller = new AbortController();
    const migrations = failing(() => {
      controller.abort();
      return new Promise(() => undefined);
    });
    await expect(migrations.run({}, { from: 1, signal: controller.signal })).rejects.toMatchObject({
      code: 'port/cancelled',
    });
  });

  test('never runs when the state cannot be copied', async () => {
    await expect(notes.run({ name: () => 1 }, { from: 1 })).rejects.toMatchObject({
      code: 'state/not-cloneable',
    });
  });
});

describe('a set of steps is checked when it is defined', () => {
  test.each<readonly [string, readonly unknown[], RegExp]>([
    ['no steps', [], /1 to 10000 steps/],
    ['too many', Array.from({ length: 10_001 }, (_, at) => step(at, at + 1)), /1 to 10000 steps/],
    ['the same step twice', [step(1, 2), step(1, 2)], /one step 1 → 2/],
    ['the same step twice, by another build', [step('1.0.0', '2.0.0'), step('1.0.0+b', '2.0.0')], /one step/],
    ['a step to itself', [step(1, 1)], /1 → 1 to lead to a later version/],
    ['a step to itself, by another build', [step('1.0.0+a', '1.0.0+b')], /to lead to a later version/],
    ['a circle', [step(1, 2), step(2, 1)], /2 → 1 to lead to a later version/],
    ['a step back', [step('2.0.0', '1.9.0')], /to lead to a later version/],
    ['half a number', [step(1.5, 2)], /whole numbers/],
    ['a number below 0', [step(-1, 2)], /whole numbers/],
    ['a text that is no version', [step('one', 'two')], /semantic versions/],
    ['no version', [{ up: keep }], /semantic versions/],
    ['a number and a text', [step(1, '2.0.0')], /one kind/],
    ['numbers and texts', [step(1, 2), step('1.0.0', '2.0.0')], /not both/],
    ['no up', [{ from: 1, to: 2 }], /function up/],
    ['a down that is none', [{ from: 1, to: 2, up: keep, down: 1 }], /down of step 1 → 2/],
  ])('%s', (_what, steps, message) => {
    expect(thrownBy(() => define(...(steps as MigrationStep[])))).toMatchObject({
      code: 'state/migrations-invalid',
      message: expect.stringMatching(message) as string,
    });
  });

  test('gaps are named', () => {
    expect(thrownBy(() => define(step(1, 2), step(3, 4), step(4, 6), step(5, 6), step(0, 2)))).toMatchObject({
      code: 'state/migrations-invalid',
      message: expect.stringContaining('leads on from 2 towards 6') as string,
      fields: { gaps: ['2'] },
    });
  });
});

describe('ways', () => {
  const found = (migrations: Migrations, from: SchemaVersion, to: SchemaVersion): string =>
    migrations
      .path(from, to)
      .map((hop) => `${hop.from}>${hop.to}`)
      .join(' ');

  test('are the shortest', () => {
    const migrations = define(
      step(1, 2, true),
      step(2, 3, true),
      step(3, 4, true),
      step(1, 3),
      step(2, 4, true),
    );
    expect(found(migrations, 1, 4)).toBe('1>2 2>4');
    expect(found(migrations, 1, 3)).toBe('1>3');
    expect(found(migrations, 4, 1)).toBe('4>2 2>1');
  });

  test('are in the order of semantic versions', () => {
    const migrations = define(
      step('1.9.0', '1.10.0', true),
      step('1.10.0-beta.2', '1.10.0'),
      step('1.10.0-beta.11', '1.10.0'),
    );
    expect(migrations.versions).toEqual(['1.9.0', '1.10.0-beta.2', '1.10.0-beta.11', '1.10.0']);
    expect(found(migrations, '1.10.0+build', '1.9.0')).toBe('1.10.0>1.9.0');
  });

  test.each<readonly [string, SchemaVersion, SchemaVersion]>([
    ['a version that nobody knows', 7, 3],
    ['to a version that nobody knows', 1, 7],
    ['a way back that no step goes', 3, 1],
    ['another kind of version', '1.0.0', 3],
    ['no version at all', undefined as never, 3],
  ])('%s: the error says what is known', (_what, from, to) => {
    const migrations = define(step(1, 2, true), step(2, 3));
    expect(thrownBy(() => migrations.path(from, to))).toMatchObject({
      code: 'state/migration-path-not-found',
      fields: { name: 'note', from: from ?? null, to, known: [1, 2, 3] },
    });
  });

  test('never turn round: what a step down drops comes back by no step up', () => {
    const whole = define(step(1, 2, true), step(1, 3), step(2, 4), step(3, 4));
    expect(thrownBy(() => whole.path(2, 3))).toMatchObject({ code: 'state/migration-path-not-found' });
  });

  test('in any graph are what a plain search finds', () => {
    const graphs = fc.uniqueArray(fc.tuple(fc.nat(12), fc.nat(12), fc.boolean()), {
      maxLength: 40,
      selector: ([a, b]) => `${Math.min(a, b)} ${Math.max(a, b)}`,
    });
    fc.assert(
      fc.property(graphs, (pairs) => {
        const edges = pairs
          .filter(([a, b]) => a !== b)
          .map(([a, b, hasDown]) => ({ from: Math.min(a, b), to: Math.max(a, b), hasDown }));
        // everything leads on to 13, so that there are no gaps
        const all = [
          ...edges,
          ...Array.from({ length: 13 }, (_, from) => ({ from, to: 13, hasDown: false })),
        ];
        const migrations = define(...all.map(({ from, to, hasDown }) => step(from, to, hasDown)));
        for (let from = 0; from <= 13; from++) {
          const distances = { up: plainDistances(all, from), down: plainDistances(backOf(all), from) };
          for (let to = 0; to <= 13; to++) {
            const expected = (to >= from ? distances.up : distances.down)[to];
            const way = thrownBy(() => migrations.path(from, to));
            if (expected === undefined) expectNoWay(way);
            else expectWay(way as ReturnType<Migrations['path']>, { from, to, length: expected }, all);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly hasDown: boolean;
}

const backOf = (edges: readonly Edge[]): Edge[] =>
  edges.filter(({ hasDown }) => hasDown).map(({ from, to }) => ({ from: to, to: from, hasDown: false }));

/** Relaxed until nothing changes: slow, and plainly right. */
function plainDistances(edges: readonly Edge[], start: number): (number | undefined)[] {
  const distances: (number | undefined)[] = [];
  distances[start] = 0;
  for (let round = 0; round < 14; round++) {
    for (const { from, to } of edges) {
      const next = (distances[from] ?? Infinity) + 1;
      if (next < (distances[to] ?? Infinity)) distances[to] = next;
    }
  }
  return distances;
}

function expectNoWay(way: unknown): void {
  expect(way).toMatchObject({ code: 'state/migration-path-not-found' });
}

function expectWay(
  way: ReturnType<Migrations['path']>,
  wanted: { readonly from: number; readonly to: number; readonly length: number },
  edges: readonly Edge[],
): void {
  expect(way.length).toBe(wanted.length);
  let at: SchemaVersion = wanted.from;
  for (const hop of way) {
    expect(hop.from).toBe(at);
    const isUp = hop.direction === 'up';
    const [low, high] = isUp ? [hop.from, hop.to] : [hop.to, hop.from];
    expect(edges.some(({ from, to, hasDown }) => from === low && to === high && (isUp || hasDown))).toBe(
      true,
    );
    at = hop.to;
  }
  expect(at).toBe(wanted.to);
}
