// Run views, in every shape: what must hold, and the known holes, each with a test that says what happens instead.
import fc from 'fast-check';
import { afterEach, describe as group, expect, test, vi } from 'vitest';
import { CodedError, isJson } from '../base/index.ts';
import { scriptedLm } from '../lm/index.ts';
import type { LanguageModel } from '../lm/index.ts';
import { SimulatedClock, systemRandom } from '../platform/index.ts';
import { createHub, createMemorySink } from '../telemetry/index.ts';
import { programLimits } from './limits.ts';
import { Module, requireRun } from './module.ts';
import { ChainOfThought } from './predict/chain-of-thought.ts';
import { Predict } from './predict/predict.ts';
import type { Run } from './run.ts';
import { context } from './run.ts';
import { configure } from './settings.ts';
import { Trace } from './trace.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const end of undo.splice(0).toReversed()) end();
});

/** A model that answers with its own name. */
function named(name: string, delayMs: number = 0): LanguageModel {
  return scriptedLm({
    script: () => ({ text: `[[ ## reasoning ## ]]\n-\n\n[[ ## a ## ]]\n${name}`, delayMs }),
  });
}

const timer = (ms: number = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const failure = (code: string): object => expect.objectContaining({ code }) as object;

type Ask = { readonly q: string };

/** Every shape in which a module may be declared, called by name. */
class Inner extends Module<Ask, string> {
  readonly gen = new ChainOfThought('q -> a');
  override async forward(input: Ask, run: Run): Promise<string> {
    await Promise.resolve();
    const { a } = await this.gen.call(input);
    return `${a}@${JSON.stringify(run.settings.values?.id)}`;
  }
}

class Shapes extends Module<{ shape: string; q: string }, string> {
  readonly direct = new Predict('q -> a');
  readonly list = [new Predict('q -> a'), new Predict('q -> a')];
  readonly frozenList = Object.freeze([new Predict('q -> a')]);
  readonly map = new Map([['k', new Predict('q -> a')]]);
  readonly record = { deep: { p: new Predict('q -> a') } };
  readonly nested = [[new Predict('q -> a')]];
  readonly inner = new Inner();
  get lazy(): Predict<'q -> a'> {
    return this.direct;
  }
  async helper(q: string): Promise<string> {
    return (await this.direct.call({ q })).a;
  }

  override async forward({ shape, q }: { shape: string; q: string }): Promise<string> {
    const ask = async (predict: Predict<'q -> a'> | undefined): Promise<string> => {
      if (!predict) throw new Error(`nothing at ${shape}`);
      return (await predict.call({ q })).a;
    };
    switch (shape) {
      case 'direct':
        return ask(this.direct);
      case 'list':
        return ask(this.list.at(-1));
      case 'list-map':
        return (await Promise.all(this.list.map(ask))).join();
      case 'list-of':
        for (const item of this.list) return ask(item);
        return '';
      case 'spread':
        return ask([...this.list][0]);
      case 'frozen-list':
        return ask(this.frozenList[0]);
      case 'map':
        return ask(this.map.get('k'));
      case 'map-values':
        return ask([...this.map.values()][0]);
      case 'map-entries':
        for (const [, item] of this.map) return ask(item);
        return '';
      case 'record':
        return ask(this.record.deep.p);
      case 'record-values':
        return ask(Object.values(this.record.deep)[0]);
      case 'nested':
        return ask(this.nested[0]?.[0]);
      case 'getter':
        return ask(this.lazy);
      case 'helper':
        return this.helper(q);
      case 'destructured': {
        const { direct } = this;
        await timer();
        return ask(direct);
      }
      case 'timer':
        await timer(1);
        return ask(this.direct);
      case 'callback':
        return new Promise((resolve, reject) =>
          setTimeout(() => void ask(this.direct).then(resolve, reject), 1),
        );
      case 'race':
        return Promise.race([ask(this.direct), ask(this.list[0])]);
      case 'named':
        return ask(this.namedPredictors()[0]?.[1] as never);
      default:
        return this.inner.call({ q });
    }
  }
}
const shapes = [
  'direct',
  'list',
  'list-map',
  'list-of',
  'spread',
  'frozen-list',
  'map',
  'map-values',
  'map-entries',
  'record',
  'record-values',
  'nested',
  'getter',
  'helper',
  'destructured',
  'timer',
  'callback',
  'race',
  'named',
  'inner',
];

group('no ambient state', () => {
  test.each(shapes)('a predictor reached as %s carries the run', async (shape) => {
    const answer = await new Shapes().call({ shape, q: '' }, { lm: named('mine'), values: { id: 7 } });
    expect(answer.split(',').every((part) => part.startsWith('mine'))).toBe(true);
  });

  test('calls that interleave on one program see their own model, values and trace', async () => {
    const program = new Shapes();
    undo.push(configure({ lm: named('default') }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ shape: fc.constantFrom(...shapes), delayMs: fc.integer({ min: 0, max: 3 }) }), {
          minLength: 2,
          maxLength: 12,
        }),
        async (calls) => {
          const results = await Promise.all(
            calls.map(async ({ shape, delayMs }, id) => {
              const trace = new Trace();
              const settings = { lm: named(`lm${id}`, delayMs), values: { id }, trace };
              return { answer: await program.call({ shape, q: String(id) }, settings), trace };
            }),
          );
          for (const [id, { answer, trace }] of results.entries()) {
            for (const part of answer.split(',')) expect(part.split('@')[0]).toBe(`lm${id}`);
            expect(answer.split('@').slice(1)).toEqual(answer.includes('@') ? [String(id)] : []);
            expect(trace.entries.length).toBeGreaterThan(0);
            expect(trace.entries.every((entry) => entry.inputs.q === String(id))).toBe(true);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test('programs nested in programs change settings for what is inside them only', async () => {
    interface Tree {
      readonly id: number;
      readonly children: readonly Tree[];
    }
    class Node extends Module<Tree, string[]> {
      readonly ask = new Predict('q -> a');
      readonly self: Node[] = [this];
      override async forward({ id, children }: Tree, run: Run): Promise<string[]> {
        const before = (await this.ask.call({ q: '' })).a;
        const inside = await Promise.all(
          children.map(async (child) => this.self[0]?.with({ lm: named(`lm${child.id}`) }).call(child)),
        );
        await timer();
        const after = (await this.ask.call({ q: '' }, run)).a;
        return [`${id}:${before}:${after}`, ...inside.flatMap((list) => list ?? [])];
      }
    }
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.record({
        id: fc.integer({ min: 0, max: 99 }),
        children: fc.oneof(
          { depthSize: 'small', withCrossShrink: true },
          fc.constant([]),
          fc.array(tie('tree'), { maxLength: 3 }),
        ),
      }),
    }));
    const node = new Node();
    await fc.assert(
      fc.asyncProperty(tree, async (root) => {
        const lines = await node.call(root, { lm: named(`lm${root.id}`) });
        for (const line of lines) {
          const [id, before, after] = line.split(':');
          expect([before, after]).toEqual([`lm${id}`, `lm${id}`]);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('configure during a call is not seen by it, and undo brings the old default back', async () => {
    undo.push(configure({ lm: named('first') }));
    class Late extends Module<Ask, string[]> {
      readonly ask = new Predict('q -> a');
      override async forward(input: Ask): Promise<string[]> {
        const one = (await this.ask.call(input)).a;
        undo.push(configure({ lm: named('second') }));
        return [one, (await this.ask.call(input)).a];
      }
    }
    const late = new Late();
    expect(await late.call({ q: '' })).toEqual(['first', 'first']);
    expect(await late.ask.call({ q: '' })).toMatchObject({ a: 'second' });
    undo.pop()?.();
    expect(await late.ask.call({ q: '' })).toMatchObject({ a: 'first' });
  });

  test('with, run.with, run.bind and context', async () => {
    class All extends Module<Ask, string[]> {
      readonly ask = new Predict('q -> a');
      override async forward(input: Ask, run: Run): Promise<string[]> {
        const other = run.with({ lm: named('other') });
        const stranger = new Predict('q -> a');
        return [
          (await this.ask.call(input)).a,
          (await this.ask.call(input, other)).a,
          (await this.ask.with({ lm: named('third') }).call(input)).a,
          (await run.bind(stranger).call(input)).a,
          (await other.bind(stranger).call(input)).a,
          (await stranger.call(input, run)).a,
          (await this.ask.call(input)).a,
        ];
      }
    }
    const expected = ['base', 'other', 'third', 'base', 'other', 'base', 'base'];
    expect(await new All().with({ lm: named('base') }).call({ q: '' })).toEqual(expected);
    expect(await context({ lm: named('base') }, (run) => new All().call({ q: '' }, run))).toEqual(expected);
    const bound = new All().with({ lm: named('base') }).ask;
    expect((await bound.call({ q: '' })).a).toBe('base');
  });

  test('values given with `with` are added one by one, and undefined takes nothing away', async () => {
    class Tell extends Module<Ask, unknown> {
      override async forward(_input: Ask, run: Run): Promise<unknown> {
        return { ...run.settings.values, lm: run.settings.lm?.model };
      }
    }
    const lm = scriptedLm({ name: 'kept', script: () => '' });
    const told = new Tell().with({ lm, values: { a: 1, b: 1 } }).with({ values: { b: 2 } });
    expect(await told.call({ q: '' }, { lm: undefined, values: { c: 3 } })).toEqual({
      a: 1,
      b: 2,
      c: 3,
      lm: 'scripted/kept',
    });
  });

  test('an empty call inside another draws no chance and makes no signal', async () => {
    class Empty extends Module<Ask, string> {
      override async forward({ q }: Ask): Promise<string> {
        return q;
      }
    }
    class Many extends Module<Ask, void> {
      readonly empty = new Empty();
      override async forward(input: Ask): Promise<void> {
        for (let count = 0; count < 10; count += 1) await this.empty.call(input);
      }
    }
    const bytes = vi.fn((length: number) => systemRandom.bytes(length));
    const controllers = vi.spyOn(globalThis, 'AbortController');
    await new Many().call({ q: '' }, { random: { ...systemRandom, bytes } });
    expect([bytes.mock.calls.length, controllers.mock.calls.length]).toEqual([0, 0]);
    controllers.mockRestore();
  });

  test('spans: one trace id for a call, and each call a child', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    await new Shapes().call({ shape: 'inner', q: '' }, { lm: named('x'), telemetry: hub });
    const starts = sink.ofType('forward-start');
    expect(starts.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'Shapes ',
      'Inner inner',
      'ChainOfThought inner.gen',
      'Predict inner.gen.predict',
    ]);
    expect(new Set(starts.map((event) => event.span?.traceId)).size).toBe(1);
    expect(new Set(starts.map((event) => event.span?.spanId)).size).toBe(4);
    expect(sink.ofType('forward-end')).toHaveLength(4);
  });
});

group('the life of a run', () => {
  test('a view and a closure kept from an ended run answer run-ended', async () => {
    const kept: { view?: Predict<'q -> a'>; closure?: () => Promise<unknown>; run?: Run } = {};
    class Keeper extends Module<Ask, string> {
      readonly ask = new Predict('q -> a');
      override async forward(_input: Ask, run: Run): Promise<string> {
        kept.view = this.ask;
        kept.closure = () => this.ask.call({ q: 'late' });
        kept.run = run;
        return 'done';
      }
    }
    await new Keeper().call({ q: '' }, { lm: named('x') });
    expect(kept.run?.isEnded).toBe(true);
    expect(kept.run?.signal.aborted).toBe(true);
    await expect(kept.view?.call({ q: '' })).rejects.toEqual(failure('program/run-ended'));
    await expect(kept.closure?.()).rejects.toEqual(failure('program/run-ended'));
    await expect(kept.run?.bind(new Predict('q -> a')).call({ q: '' })).rejects.toEqual(
      failure('program/run-ended'),
    );
    const other = kept.run?.with({ lm: named('y') });
    await expect(new Predict('q -> a').call({ q: '' }, other)).rejects.toEqual(failure('program/run-ended'));
  });

  test('a call that nobody waited for is cancelled when its run ends, and is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    let aborted: unknown;
    const lm: LanguageModel = {
      model: 'slow',
      isScripted: true,
      generate: (_request, options) =>
        new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => {
            aborted = options.signal?.reason;
            reject(new Error('aborted'));
          });
        }),
      stream: () => {
        throw new Error('not used');
      },
    };
    class Careless extends Module<Ask, string> {
      readonly ask = new Predict('q -> a');
      override async forward(input: Ask): Promise<string> {
        void this.ask.call(input);
        await timer();
        return 'early';
      }
    }
    expect(await new Careless().call({ q: '' }, { lm })).toBe('early');
    await timer(5);
    expect(aborted).toEqual(failure('program/run-ended'));
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled).toEqual([]);
  });

  test('the earlier deadline holds, the parent reaches its children, and time is handed in', async () => {
    const clock = new SimulatedClock();
    const seen: (number | undefined)[] = [];
    class Waiter extends Module<{ ms: number; timeoutMs?: number }, string> {
      readonly deeper: Waiter[] = [];
      override async forward(
        { ms, timeoutMs }: { ms: number; timeoutMs?: number },
        run: Run,
      ): Promise<string> {
        seen.push(run.deadline?.remainingMs());
        const [next] = this.deeper;
        if (next && timeoutMs !== undefined) return next.call({ ms }, { timeoutMs });
        return new Promise((resolve) => clock.after(ms, () => resolve('slept')));
      }
    }
    const waiter = new Waiter();
    waiter.deeper.push(waiter);
    const inner = waiter.call({ ms: 500, timeoutMs: 50 }, { clock, timeoutMs: 100 });
    const innerEnd = inner.catch((error: unknown) => error);
    await clock.advance(0);
    await clock.advance(60);
    expect(await innerEnd).toMatchObject({ code: 'port/timeout', fields: { timeoutMs: 50 } });
    const outer = waiter.call({ ms: 500, timeoutMs: 9999 }, { clock, timeoutMs: 100 });
    const outerEnd = outer.catch((error: unknown) => error);
    await clock.advance(0);
    await clock.advance(110);
    expect(await outerEnd).toMatchObject({ code: 'port/timeout', fields: { timeoutMs: 100 } });
    expect(seen).toEqual([100, 50, 100, 100]);
    const plain = waiter.call({ ms: 1 }, { clock });
    await clock.advance(0);
    await clock.advance(2);
    expect(await plain).toBe('slept');
  });

  test.each([-1, NaN])('timeoutMs %d is refused', async (timeoutMs) => {
    await expect(
      new Shapes().call({ shape: 'direct', q: '' }, { lm: named('x'), timeoutMs }),
    ).rejects.toEqual(failure('program/settings-invalid'));
  });

  test('no limit is not sent on as one', async () => {
    await context({ timeoutMs: Infinity }, async (run) => {
      expect(run.deadline).toBeUndefined();
      expect(isJson(run.toWire())).toBe(true);
    });
  });

  test('a run of another copy of the library stops the calls inside it', async () => {
    vi.resetModules();
    const copy = await import('./run.ts');
    expect(copy.context).not.toBe(context);
    class Waits extends Module<Ask, void> {
      override forward(_input: Ask, run: Run): Promise<void> {
        return new Promise((resolve) => run.signal.addEventListener('abort', () => resolve()));
      }
    }
    let inner: Promise<unknown> | undefined;
    await copy.context({}, async (run) => {
      inner = new Waits().call({ q: '' }, run);
      await timer();
    });
    await expect(inner).rejects.toEqual(failure('program/run-ended'));
  });

  test('a signal that was aborted before the call keeps forward from running', async () => {
    let ran = false;
    class Never extends Module<Ask, void> {
      override async forward(): Promise<void> {
        ran = true;
      }
    }
    const reason = new CodedError('program/mine', 'stop');
    await expect(new Never().call({ q: '' }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(ran).toBe(false);
  });

  test('a program that calls itself for ever ends with too-deep', async () => {
    let depth = 0;
    class Forever extends Module<Ask, string> {
      override async forward(input: Ask): Promise<string> {
        depth += 1;
        return (this as Forever).call(input);
      }
    }
    await expect(new Forever().call({ q: '' })).rejects.toEqual(failure('program/too-deep'));
    expect(depth).toBe(programLimits.callDepth);
  });

  test('notes are cut, and one that is not JSON says so', async () => {
    const hub = createHub();
    const sink = createMemorySink(hub);
    await context({ telemetry: hub }, async (run) => {
      run.note('x'.repeat(10_000), { ok: true });
      run.note('y', (() => undefined) as never);
    });
    const [long, odd] = sink.ofType('note');
    expect(long?.text).toHaveLength(programLimits.noteCharacters);
    expect(odd?.data).toBe('not JSON');
  });
});

group('assignment inside forward', () => {
  class Assigner extends Module<{ step: string }, unknown> {
    readonly ask = new Predict('q -> a');
    count = 0;
    last: Predict<'q -> a'> | undefined;
    chain: readonly Predict<'q -> a'>[] = [];
    byName: Readonly<Record<string, Predict<'q -> a'>>> = {};
    readonly pool: Predict<'q -> a'>[] = [];
    #hidden = 0;
    get hidden(): number {
      return this.#hidden;
    }
    override async forward({ step }: { step: string }): Promise<unknown> {
      if (step === 'count') return (this.count += 1);
      if (step === 'keep') {
        this.last = this.ask;
        this.chain = [this.ask, this.ask];
        this.byName = { x: this.ask };
        this.pool.push(this.ask);
        return undefined;
      }
      const all = [this.last, this.chain[1], this.byName.x, this.pool[0]];
      return Promise.all(all.map(async (each) => (await each?.call({ q: '' }))?.a));
    }
  }

  test('fields written through the view are fields of the module', async () => {
    const assigner = new Assigner();
    await Promise.all([1, 2, 3].map(() => assigner.call({ step: 'count' })));
    expect(assigner.count).toBe(3);
  });

  test('a view that is assigned becomes the module, so that a later run binds it anew', async () => {
    const assigner = new Assigner();
    await assigner.call({ step: 'keep' }, { lm: named('first') });
    expect(assigner.last).toBe(assigner.ask);
    expect(assigner.chain[1]).toBe(assigner.ask);
    expect(assigner.byName.x).toBe(assigner.ask);
    // The list held no module before, so it was plain data: it kept the view, which later runs bind anew all the same.
    expect(assigner.pool[0]).not.toBe(assigner.ask);
    expect(await assigner.call({ step: 'use' }, { lm: named('second') })).toEqual(Array(4).fill('second'));
    expect(assigner.namedPredictors().map(([name]) => name)).toEqual(['ask']);
  });

  test('data in fields comes out as it is, so that it can be posted and compared', async () => {
    class Holder extends Module<Ask, boolean[]> {
      readonly rows = [{ a: 1 }, { a: 2 }];
      readonly table = { rows: this.rows };
      override async forward(): Promise<boolean[]> {
        return [this.rows === rows, this.table.rows === rows, structuredClone(this.table).rows.length === 2];
      }
    }
    const holder = new Holder();
    const { rows } = holder;
    expect(await holder.call({ q: '' })).toEqual([true, true, true]);
  });

  test('a module behind 4,096 other values in one list is taken for data', async () => {
    const lm = named('x');
    class Hoard extends Module<{ at: number }, string> {
      readonly items: unknown[] = [];
      override async forward({ at }: { at: number }): Promise<string> {
        return (await (this.items[at] as Predict<'q -> a'>).call({ q: '' })).a;
      }
    }
    const near = new Hoard();
    near.items.push(...Array(programLimits.containerScan - 1).fill(0), new Predict('q -> a'));
    expect(await near.call({ at: programLimits.containerScan - 1 }, { lm })).toBe('x');
    const far = new Hoard();
    far.items.push(...Array(programLimits.containerScan).fill(0), new Predict('q -> a'));
    await expect(far.call({ at: programLimits.containerScan }, { lm })).rejects.toEqual(
      failure('program/lm-missing'),
    );
  });

  test('a frozen module, its keys, spread and descriptors look as they should through a view', async () => {
    class Frozen extends Module<Ask, unknown> {
      readonly ask = new Predict('q -> a');
      readonly list = Object.freeze([this.ask]);
      constructor() {
        super();
        Object.freeze(this);
      }
      override async forward(): Promise<unknown> {
        const copy = Object.assign({}, this);
        return {
          keys: Object.keys(this),
          has: 'ask' in this,
          length: Object.getOwnPropertyDescriptor(this.list, 'length')?.value as unknown,
          isList: Array.isArray(this.list),
          isSelf: this instanceof Frozen,
          answer: (await copy.ask.call({ q: '' })).a,
          write: Reflect.set(this, 'ask', 1),
        };
      }
    }
    expect(await new Frozen().call({ q: '' }, { lm: named('x') })).toEqual({
      keys: ['ask', 'list'],
      has: true,
      length: 1,
      isList: true,
      isSelf: true,
      answer: 'x',
      write: false,
    });
  });

  test('a map view behaves as a map', async () => {
    class Maps extends Module<Ask, unknown> {
      readonly tools = new Map<string, Predict<'q -> a'>>([['a', new Predict('q -> a')]]);
      override async forward(): Promise<unknown> {
        const { tools } = this;
        tools.set('b', tools.get('a') as Predict<'q -> a'>);
        const visited: string[] = [];
        tools.forEach((_tool, key, whole) => void (whole === tools && visited.push(key)));
        const answers = await Promise.all([...tools].map(async ([, tool]) => (await tool.call({ q: '' })).a));
        const before = tools.size;
        tools.delete('a');
        return [
          answers,
          before,
          tools.size,
          tools.has('b'),
          [...tools.keys()],
          visited,
          tools instanceof Map,
        ];
      }
    }
    const maps = new Maps();
    const first = maps.tools.get('a');
    expect(await maps.call({ q: '' }, { lm: named('x') })).toEqual([
      ['x', 'x'],
      2,
      1,
      true,
      ['b'],
      ['a', 'b'],
      true,
    ]);
    expect(maps.tools.get('b')).toBe(first);
  });
});

group('known holes', () => {
  test('#private members are not reachable through a view: a typed error says so', async () => {
    class Private extends Module<Ask, number> {
      #count = 1;
      override async forward(): Promise<number> {
        return this.#count;
      }
    }
    await expect(new Private().call({ q: '' })).rejects.toMatchObject({
      code: 'program/private-member',
      fields: { kind: 'Private' },
    });
  });

  class Arrow extends Module<Ask, string> {
    readonly ask = new Predict('q -> a');
    readonly helper = async (input: Ask, run?: Run): Promise<string> => (await this.ask.call(input, run)).a;
    override async forward(input: Ask, run: Run): Promise<string> {
      return input.q === 'pass' ? this.helper(input, run) : this.helper(input);
    }
  }

  test('an arrow-function field sees the module, not the view: its calls start from the defaults', async () => {
    const arrow = new Arrow();
    await expect(arrow.call({ q: '' }, { lm: named('mine') })).rejects.toEqual(failure('program/lm-missing'));
    undo.push(configure({ lm: named('default') }));
    expect(await arrow.call({ q: '' }, { lm: named('mine') })).toBe('default');
    expect(await arrow.call({ q: 'pass' }, { lm: named('mine') })).toBe('mine');
  });

  test('in a hosted module that is run-missing, never a silent default', async () => {
    undo.push(configure({ lm: named('default') }));
    const arrow = new Arrow();
    requireRun(arrow);
    const hosted = (q: string): Promise<string> =>
      context({ lm: named('mine') }, (run) => arrow.call({ q }, run));
    await expect(hosted('')).rejects.toEqual(failure('program/run-missing'));
    expect(await hosted('pass')).toBe('mine');
    await expect(arrow.call({ q: '' })).rejects.toEqual(failure('program/run-missing'));
  });

  test('a predictor made inside forward has no run; a realm that requires one refuses the call', async () => {
    class Maker extends Module<Ask, string> {
      override async forward(input: Ask, run: Run): Promise<string> {
        const made = new Predict('q -> a');
        return (await made.call(input, input.q === 'pass' ? run : undefined)).a;
      }
    }
    undo.push(configure({ lm: named('default') }));
    const call = (q: string): Promise<string> =>
      context({ lm: named('mine') }, (run) => new Maker().call({ q }, run));
    expect(await call('')).toBe('default');
    undo.push(configure({ requireRun: true }));
    await expect(call('')).rejects.toEqual(failure('program/run-missing'));
    expect(await call('pass')).toBe('mine');
  });

  test('a closure handed to a tool keeps the run it was made in: another run that calls it uses that one', async () => {
    const tools: (() => Promise<string>)[] = [];
    class Tooled extends Module<{ role: 'make' | 'use'; until?: Promise<void> }, string> {
      readonly ask = new Predict('q -> a');
      override async forward({
        role,
        until,
      }: {
        role: 'make' | 'use';
        until?: Promise<void>;
      }): Promise<string> {
        if (role === 'use') return (tools[0] as () => Promise<string>)();
        tools.push(async () => (await this.ask.call({ q: '' })).a);
        await until;
        return '';
      }
    }
    const tooled = new Tooled();
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    const maker = tooled.call({ role: 'make', until }, { lm: named('maker') });
    await timer();
    expect(await tooled.call({ role: 'use' }, { lm: named('user') })).toBe('maker');
    release();
    await maker;
    await expect(tooled.call({ role: 'use' }, { lm: named('user') })).rejects.toEqual(
      failure('program/run-ended'),
    );
  });

  test('modules kept in a Set or in another object are not declared: their calls have no run', async () => {
    class Hidden extends Module<Ask, string> {
      readonly set = new Set([new Predict('q -> a')]);
      override async forward(input: Ask, run: Run): Promise<string> {
        const [only] = this.set;
        return (await (only as Predict<'q -> a'>).call(input, input.q === 'pass' ? run : undefined)).a;
      }
    }
    const hidden = new Hidden();
    await expect(hidden.call({ q: '' }, { lm: named('mine') })).rejects.toEqual(
      failure('program/lm-missing'),
    );
    expect(await hidden.call({ q: 'pass' }, { lm: named('mine') })).toBe('mine');
  });

  test('a view kept outside its module from another run answers run-ended', async () => {
    const kept: Predict<'q -> a'>[] = [];
    class Leaker extends Module<Ask, string> {
      readonly ask = new Predict('q -> a');
      override async forward(input: Ask): Promise<string> {
        kept.push(this.ask);
        return (await (kept[0] as Predict<'q -> a'>).call(input)).a;
      }
    }
    const leaker = new Leaker();
    expect(await leaker.call({ q: '' }, { lm: named('first') })).toBe('first');
    await expect(leaker.call({ q: '' }, { lm: named('second') })).rejects.toEqual(
      failure('program/run-ended'),
    );
  });
});
