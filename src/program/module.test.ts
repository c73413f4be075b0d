import { describe as group, expect, test } from 'vitest';
import fixture from '../../fixtures/dspy/saved-state.json' with { type: 'json' };
import { scriptedLm } from '../lm/index.ts';
import { describe } from './describe.ts';
import { Example } from './example.ts';
import { programLimits } from './limits.ts';
import { isModule, Module } from './module.ts';
import type { ModuleState } from './module-state.ts';
import { Parameter } from './parameter.ts';
import { ChainOfThought } from './predict/chain-of-thought.ts';
import { isPredictor, Predict } from './predict/predict.ts';
import type { Predictor } from './predict/predictor.ts';
import type { Run } from './run.ts';

const failure = (code: string): object => expect.objectContaining({ code }) as object;
const ask = (): Predict<'q -> a'> => new Predict('q -> a');
const think = (): ChainOfThought<'q -> a'> => new ChainOfThought('q -> a');
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

class Inner extends Module {
  readonly gen = think();
}

/** The program of fixtures/dspy/saved-state.py. A `Map` keeps the order of Python's dict where an object would not. */
class Everything extends Module {
  readonly hops = [think(), think()];
  readonly tools = new Map<unknown, Module>([
    ['k', ask()],
    [3, ask()],
  ]);
  readonly inner = new Inner();
  readonly shared = this.hops[0];
  readonly direct = ask();
  readonly alias = this.direct;
  readonly nested = [[ask()], [ask()]];
  readonly nest_dict = { o: { p: ask() } };
  readonly tup = [ask(), think()];
}

class CyclicInner extends Module {
  readonly gen = think();
  readonly again = this.gen;
  readonly last = ask();
}
class Cyclic extends Module {
  readonly first = ask();
  readonly inner = new CyclicInner();
  // One more than in Python, which cannot walk a cycle depth first.
  readonly self: Module[] = [this];
}

function compiled(): Module {
  const program = new Everything();
  program.inner.isCompiled = true;
  return program;
}

group('names, in the order of DSPy 3.3.1', () => {
  const programs: Readonly<Record<keyof typeof fixture.names, Module>> = {
    everything: new Everything(),
    compiled: compiled(),
    cyclic: new Cyclic(),
    predict: ask(),
    'chain-of-thought': think(),
  };
  const namesOf = (named: readonly (readonly [string, unknown])[]): string[] => named.map(([name]) => name);

  test.each(Object.keys(programs) as (keyof typeof programs)[])('%s', (key) => {
    const program = programs[key];
    expect({
      predictors: namesOf(program.namedPredictors()),
      subModules: namesOf(program.namedSubModules()),
      predictSubModules: namesOf(program.namedSubModules(isPredictor)),
      skipCompiled: namesOf(program.namedSubModules(undefined, { skipCompiled: true })),
    }).toEqual(fixture.names[key]);
  });

  test('a compiled root still lists its predictors', () => {
    const program = new Everything();
    program.isCompiled = true;
    expect(namesOf(program.namedPredictors())).toEqual(fixture.names.everything.predictors);
  });

  test('maxDepth counts fields and containers', () => {
    const depth = (maxDepth: number): string[] =>
      namesOf(new Everything().namedSubModules(undefined, { maxDepth }));
    expect(depth(0)).toEqual(['self']);
    expect(depth(1)).toEqual(['self', 'self.inner', 'self.shared', 'self.direct']);
    expect(depth(2)).toContain('self.hops[1]');
  });

  test('modules nested beyond 64 are an error, never left out silently', () => {
    class Link extends Module {
      next: Module | undefined;
    }
    const chain = (length: number): Link => {
      const link = new Link();
      link.next = length > 1 ? chain(length - 1) : ask();
      return link;
    };
    expect(chain(programLimits.moduleDepth).namedPredictors()).toHaveLength(1);
    expect(thrownBy(() => chain(programLimits.moduleDepth + 1).namedPredictors())).toEqual(
      failure('program/too-deep'),
    );
  });

  test('looking up by name, and an error that says what exists', () => {
    const program = new Everything();
    expect(program.predictorNamed("tools['3']")).toBe(program.tools.get(3));
    expect(program.subModuleNamed('inner.gen')).toBe(program.inner.gen);
    expect(program.subModuleNamed('self.tup[1]')).toBe(program.tup[1]);
    expect(thrownBy(() => program.predictorNamed('nope'))).toMatchObject({
      code: 'program/predictor-not-found',
      fields: { name: 'nope', existing: fixture.names.everything.predictors },
    });
    expect(thrownBy(() => program.subModuleNamed('nope'))).toEqual(failure('program/sub-module-not-found'));
    expect(thrownBy(() => program.parameterNamed('nope'))).toMatchObject({
      code: 'program/parameter-not-found',
      message: expect.stringContaining('there are none') as string,
    });
  });

  test('mapNamedPredictors replaces each predictor where it is', () => {
    const program = new Everything();
    const made = new Map<string, Predictor>();
    program.mapNamedPredictors((_predictor, name) => {
      made.set(name, ask());
      return made.get(name) as Predictor;
    });
    for (const [name, predictor] of program.namedPredictors())
      expect(predictor).toBe(made.get(name) ?? predictor);
    expect(program.tools.get(3)).toBe(made.get("tools['3']"));
    expect((program.tup[1] as ChainOfThought).predict).toBe(made.get('tup[1].predict'));
    expect(program.direct).toBe(made.get('direct'));
    expect(thrownBy(() => ask().mapNamedPredictors((same) => same))).toEqual(
      failure('program/predictor-not-found'),
    );
  });

  test('a predictor in a frozen list cannot be replaced, and that is said', () => {
    class Fixed extends Module {
      readonly list = Object.freeze([ask()]);
    }
    const fixed = new Fixed();
    expect(thrownBy(() => fixed.mapNamedPredictors(ask))).toEqual(failure('program/predictor-not-found'));
  });

  test('mapNamedPredictors changes all or none: a callback that throws, or one place that is frozen, leaves each as it was', () => {
    class Half extends Module {
      readonly first = ask();
      readonly steps = [ask(), ask()];
      readonly named = new Map([['k', ask()]]);
      readonly last: readonly Predictor[];
      constructor(isFrozen: boolean) {
        super();
        this.last = isFrozen ? Object.freeze([ask()]) : [ask()];
      }
    }
    for (const isFrozen of [true, false]) {
      const half = new Half(isFrozen);
      const before = half.namedPredictors();
      expect(before).toHaveLength(5);
      let calls = 0;
      const change = (): Predictor => {
        if (!isFrozen && ++calls === 4) throw new Error('half way');
        return ask();
      };
      expect(() => half.mapNamedPredictors(change)).toThrow(isFrozen ? 'frozen' : 'half way');
      const after = half.namedPredictors();
      expect(after.map(([name]) => name)).toEqual(before.map(([name]) => name));
      expect(after.every(([, predictor], at) => predictor === before[at]?.[1])).toBe(true);
    }
  });
});

class Tuned extends Module<{ q: string }, string> {
  static readonly version: string = '1.2.3';
  static readonly config: { retries: number } = { retries: 2 };
  readonly limit = new Parameter({
    type: 'number',
    value: 20,
    constraints: { min: 1, max: 1000 },
    requiresGrad: true,
  });
  readonly weights = [new Parameter({ type: 'list', value: [1, 2] })];
  readonly gen = think();
  readonly hidden = [[ask()]];
  readonly deeper = new Deeper();
  override async forward({ q }: { q: string }): Promise<string> {
    return `${q}:${this.limit.value}`;
  }
}
class Deeper extends Module {
  readonly tone = new Parameter({ type: 'string', value: 'dry' });
  readonly frozen = ask();
}

group('a module', () => {
  test('without forward says so', async () => {
    await expect(new Inner().call(undefined)).rejects.toMatchObject({
      code: 'program/forward-not-implemented',
      fields: { kind: 'Inner' },
    });
  });

  test('runs in process, sees its parameters, and passes on what forward throws', async () => {
    const tuned = new Tuned();
    tuned.limit.set(30);
    expect(await tuned.call({ q: 'x' })).toBe('x:30');
    const own = new RangeError('mine');
    class Failing extends Module {
      override forward(): Promise<never> {
        throw own;
      }
    }
    await expect(new Failing().call(undefined)).rejects.toBe(own);
  });

  test('metadata', () => {
    const { definedAtMs, ...rest } = new Tuned().metadata;
    expect(rest).toEqual({
      className: 'Tuned',
      version: '1.2.3',
      parameters: ['limit', 'weights[0]', 'deeper.tone'],
      predictors: ['gen.predict', 'deeper.frozen'],
      subModules: ['self.gen', 'self.deeper', 'self.gen.predict', 'self.deeper.frozen', 'self.hidden[0][0]'],
      config: { retries: 2 },
    });
    expect(definedAtMs).toBeGreaterThan(0);
    expect(new Tuned().metadata.definedAtMs).toBe(definedAtMs);
  });

  test('train and eval set the whole tree', () => {
    const tuned = new Tuned();
    expect([tuned.mode, tuned.deeper.mode]).toEqual(['eval', 'eval']);
    expect(tuned.train()).toBe(tuned);
    expect(tuned.namedSubModules().every(([, module]) => module.mode === 'train')).toBe(true);
    tuned.eval();
    expect(tuned.gen.predict.mode).toBe('eval');
  });

  test('setLm and getLm', () => {
    const [one, two] = [scriptedLm({ script: () => '' }), scriptedLm({ script: () => '' })];
    const tuned = new Tuned();
    expect(tuned.getLm()).toBeUndefined();
    tuned.setLm(one);
    expect(tuned.getLm()).toBe(one);
    tuned.gen.predict.lm = two;
    expect(thrownBy(() => tuned.getLm())).toEqual(failure('program/lm-not-unique'));
    expect(thrownBy(() => new Module().getLm())).toEqual(failure('program/lm-not-unique'));
  });

  test('changes of every parameter in the tree come with the dotted name', () => {
    const tuned = new Tuned();
    const seen: string[] = [];
    const end = tuned.onParameterChange(({ name, newValue, cause }) =>
      seen.push(`${name}=${String(newValue)} ${cause}`),
    );
    tuned.limit.set(5);
    tuned.deeper.tone.set('warm', 'taste');
    tuned.weights[0]?.set([3]);
    end();
    tuned.limit.set(6);
    expect(seen).toEqual(['limit=5 set', 'deeper.tone=warm taste', 'weights[0]=3 set']);
  });

  test('is told by its brand, also through a view', async () => {
    const views: Module[] = [];
    class Self extends Module {
      override async forward(_input: unknown, run: Run): Promise<boolean> {
        views.push(this);
        return run.isEnded;
      }
    }
    const self = new Self();
    expect(await self.call(undefined)).toBe(false);
    expect([isModule(self), isModule(views[0]), isPredictor(self), isPredictor(ask()), isModule({})]).toEqual(
      [true, true, false, true, false],
    );
    expect(views[0]).not.toBe(self);
  });

  test('description: structured-cloneable, depth-limited', () => {
    const tuned = new Tuned();
    const description = structuredClone(describe(tuned));
    expect(description.parameters[0]).toMatchObject({
      name: 'limit',
      type: 'number',
      value: 20,
      constraints: { min: 1, max: 1000 },
      requiresGrad: true,
      historyEntries: 100,
      historyBytes: 1024 * 1024,
      createdAtMs: tuned.limit.createdAtMs,
    });
    expect(description.predictors[0]).toMatchObject({
      name: 'gen.predict',
      signature: 'q -> reasoning, a',
      inputs: [{ name: 'q', type: 'str' }],
      model: null,
    });
    expect(description.isCompiled).toBe(false);
    expect(description.isTruncated).toBe(false);
    const shallow = describe(tuned, 1);
    expect(shallow.isTruncated).toBe(true);
    expect(shallow.subModules.map(({ name }) => name)).toEqual(['self.gen', 'self.deeper']);
  });
});

group('copies', () => {
  test('a deep copy shares nothing that changes, and keeps sharing and cycles', async () => {
    const program = new Everything();
    const holder = Object.assign(program, {
      loop: program as Module,
      limit: new Parameter({ type: 'number', value: 1 }),
    });
    holder.direct.demos = [new Example({ q: 'x', a: 'y' })];
    holder.train();
    holder.inner.isCompiled = true;
    const copy = holder.deepcopy();
    expect(copy).toBeInstanceOf(Everything);
    expect(copy.loop).toBe(copy);
    expect(copy.alias).toBe(copy.direct);
    expect(copy.direct).not.toBe(holder.direct);
    expect(copy.tools.get(3)).not.toBe(holder.tools.get(3));
    expect([copy.mode, copy.inner.isCompiled]).toEqual(['train', true]);
    expect(copy.namedSubModules().map(([name]) => name)).toEqual(
      holder.namedSubModules().map(([name]) => name),
    );
    copy.limit.set(2);
    copy.direct.demos = [];
    copy.hops.pop();
    expect([holder.limit.value, holder.direct.demos.length, holder.hops.length]).toEqual([1, 1, 2]);
    const lm = scriptedLm({ script: () => '[[ ## a ## ]]\nhi' });
    expect((await copy.direct.call({ q: '' }, { lm })).a).toBe('hi');
  });

  test('a reset copy has no demos and no model; signatures stay', () => {
    const tuned = new Tuned();
    tuned.gen.predict.demos = [{ q: '1' }];
    tuned.gen.predict.lm = scriptedLm({ script: () => '' });
    tuned.gen.predict.signature = tuned.gen.predict.signature.withInstructions('kept');
    const copy = tuned.resetCopy();
    expect(copy.gen.predict.demos).toEqual([]);
    expect(copy.gen.predict.lm).toBeUndefined();
    expect(copy.gen.predict.signature.instructions).toBe('kept');
    expect(tuned.gen.predict.demos).toHaveLength(1);
  });
});

group('state', () => {
  const changed = (): Tuned => {
    const tuned = new Tuned();
    tuned.limit.set(42);
    tuned.deeper.tone.set('warm');
    for (const predict of tuned.hidden.flat()) predict.demos = [{ q: 'h', a: 'i' }];
    tuned.gen.predict.config = { temperature: 0.5 };
    tuned.deeper.isCompiled = true;
    return tuned.train();
  };

  test('everything that changes goes through structured clone and comes back', () => {
    const state = structuredClone(changed().dumpState({ withHistory: true }));
    const fresh = new Tuned();
    fresh.loadState(state);
    const again = fresh.dumpState({ withHistory: true });
    const timeless = (each: ModuleState): unknown =>
      JSON.parse(JSON.stringify(each, (key, value: unknown) => (key === 'createdAtMs' ? 0 : value)));
    expect(timeless(again)).toEqual(timeless(state));
    expect(fresh.limit.value).toBe(42);
    expect(fresh.hidden[0]?.[0]?.demos).toEqual([{ q: 'h', a: 'i' }]);
    expect([fresh.mode, fresh.deeper.mode, fresh.deeper.isCompiled]).toEqual(['train', 'train', true]);
    expect(fresh.limit.history.at(-1)?.newValue).toBe(42);
  });

  const broken: readonly [
    string,
    (state: Record<string, Record<string, unknown>>) => void,
    string,
    string,
  ][] = [
    ['no format', (state) => delete state.format, 'program/state-invalid', 'format'],
    ['a mode that is none', (state) => (state.mode = 'x' as never), 'program/state-invalid', 'mode'],
    [
      'a parameter missing',
      (state) => delete state.parameters?.['deeper.tone'],
      'program/state-missing',
      'parameters.deeper.tone',
    ],
    [
      'the last parameter out of bounds',
      (state) => Object.assign(state.parameters?.limit as object, { value: 9999 }),
      'program/constraint-violated',
      'parameters.limit',
    ],
    [
      'a predictor missing',
      (state) => delete state.predictors?.['gen.predict'],
      'program/state-missing',
      'predictors.gen.predict',
    ],
    [
      'the last predictor broken',
      (state) => ((state.predictors as Record<string, unknown>)['deeper.frozen'] = { demos: 3 }),
      'program/state-invalid',
      'predictors.deeper.frozen',
    ],
  ];
  test.each(broken)('%s: refused by key, and nothing is half applied', (_what, spoil, code, key) => {
    const state = structuredClone(changed().dumpState());
    spoil(state as never);
    const tuned = new Tuned();
    const before = tuned.dumpState();
    expect(thrownBy(() => tuned.loadState(state))).toMatchObject({ code, fields: { key } });
    expect(tuned.dumpState()).toEqual(before);
  });

  test.each([null, undefined, 3, [], 'x'])('a state that is %j is refused', (state) => {
    expect(thrownBy(() => new Tuned().loadState(state as never))).toEqual(failure('program/state-invalid'));
  });

  test('parameters alone: some of them, all or none, unknown names refused', () => {
    const saved = changed().dumpParameters();
    const tuned = new Tuned();
    tuned.loadParameters({ limit: saved.limit as never }, 'restart');
    expect(tuned.limit.value).toBe(42);
    expect(tuned.limit.history.at(-1)?.cause).toBe('restart');
    expect(tuned.deeper.tone.value).toBe('dry');
    const spoiled = { 'deeper.tone': saved['deeper.tone'], limit: { ...saved.limit, value: -1 } };
    expect(thrownBy(() => tuned.loadParameters(spoiled as never))).toMatchObject({
      fields: { key: 'parameters.limit' },
    });
    expect(tuned.deeper.tone.value).toBe('dry');
    expect(thrownBy(() => tuned.loadParameters({ nope: saved.limit as never }))).toEqual(
      failure('program/parameter-not-found'),
    );
  });
});
