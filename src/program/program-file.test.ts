// Programs as files of every format: all of it or nothing, whatever the file is. DSPy's own files are in dspy-state.test.ts.
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe as group, expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { defineMigrations, openFile, writeStateFile } from '../state/index.ts';
import { describeFormat, jsonValues } from '../state/format/format-laws.contract.ts';
import { Module } from './module.ts';
import type { ModuleState } from './module-state.ts';
import { Parameter } from './parameter.ts';
import { ChainOfThought } from './predict/chain-of-thought.ts';
import { Predict } from './predict/predict.ts';
import type { ProgramFormat } from './program-file.ts';

class Notes extends Module {
  static readonly version: string = '1.1.0';
  readonly weights = new Parameter<{ shape: number[]; data: Float64Array }>({
    type: 'tensor',
    value: { shape: [2], data: new Float64Array([1, -0]) },
  });
  readonly limit = new Parameter<number>({ type: 'number', value: 3 });
  readonly answer = new ChainOfThought('question -> answer');
}

const binary = ['msgpack', 'protobuf', 'etf'] as const;
const formats: readonly ProgramFormat[] = ['json', ...binary];

async function bytesOf(program: Module, format: ProgramFormat, gzip = false): Promise<Uint8Array> {
  const file =
    format === 'json'
      ? gzip
        ? await program.save(undefined, { gzip })
        : await program.save()
      : await program.save(undefined, { format, gzip });
  return typeof file === 'string' ? new TextEncoder().encode(file) : file;
}

function taught(): Notes {
  const program = new Notes();
  program.answer.predict.demos = [{ question: 'größe', answer: '😀', nested: { list: [1, null, true] } }];
  program.limit.set(Infinity);
  program.weights.set({ shape: [3], data: new Float64Array([0.1, 5e-324, -0]) });
  program.train();
  program.answer.isCompiled = true;
  return program;
}

/** A state as it may come from elsewhere. */
async function fileWith(
  change: Partial<Record<keyof ModuleState, unknown>>,
  kind = 'program',
): Promise<Uint8Array> {
  const state = { ...taught().dumpState(), ...change };
  return writeStateFile({ kind, versions: {}, state }, { format: 'msgpack' });
}

group('a program in a file', () => {
  test.each(binary)('%s holds all of it, also in a gzip and through a sink', async (format) => {
    const program = taught();
    for (const gzip of [false, true]) {
      const parts: Uint8Array[] = [];
      const bytes = await program.save((part) => parts.push(part), { format, gzip });
      expect(parts).toEqual([bytes]);
      const other = new Notes();
      expect(await other.load(new Blob([bytes]))).toEqual([]);
      expect(other.dumpState()).toEqual(program.dumpState());
      expect(other.mode).toBe('train');
      expect(Object.is(other.weights.value.data[2], -0)).toBe(true);
    }
  });

  test("json in a gzip is DSPy's text", async () => {
    const program = taught();
    program.answer.isCompiled = false;
    const bytes = await program.save(undefined, { gzip: true });
    expect(gunzipSync(bytes).toString()).toBe(await program.save());
    const other = new Notes();
    expect(await other.load(bytes)).toEqual([]);
    expect(await other.save()).toBe(await program.save());
  });

  test('says what wrote it; another version is a warning', async () => {
    const program = taught();
    const bytes = await program.save(undefined, { format: 'etf' });
    expect(await openFile(bytes)).toMatchObject({
      file: { kind: 'program', versions: { vivarium: expect.any(String) as string, dspy: '3.3.1' } },
    });
    const state = program.dumpState();
    expect(state.dependencyVersions).toEqual({ vivarium: expect.any(String) as string, dspy: '3.3.1' });
    const versions = { vivarium: '0.0.1', dspy: '3.3.1', other: '5' };
    const older = await writeStateFile({ kind: 'program', versions, state }, { format: 'protobuf' });
    expect(await new Notes().load(older)).toEqual([expect.stringMatching(/saved with vivarium 0\.0\.1/)]);
  });

  test('with the address of a model: dropped unless it is asked for', async () => {
    const program = new Predict('question -> answer');
    program.lmState = { model: 'm', api_base: 'http://elsewhere' };
    const bytes = await program.save(undefined, { format: 'msgpack' });
    const other = new Predict('question -> answer');
    expect(await other.load(bytes)).toEqual([expect.stringContaining('dropped api_base')]);
    expect(other.lmState).toEqual({ model: 'm' });
    await other.load(bytes, { allowUnsafeLmState: true });
    expect(other.lmState).toEqual(program.lmState);
  });

  test('what cannot be written is named', async () => {
    const program = new Notes();
    program.answer.predict.demos = [{ question: 'x', answer: { deep: () => 1 } }];
    await expect(program.save(undefined, { format: 'etf' })).rejects.toMatchObject({
      code: 'state/not-encodable',
      fields: { path: 'state.predictors.answer.predict.demos[0].answer.deep', found: 'a function' },
    });
  });

  test.each([
    ['a pickle', Uint8Array.of(0x80, 4, 0x95, 1)],
    ['a pickle in a gzip', gzipSync(Uint8Array.of(0x80, 5, 0x95))],
    ['an archive', Uint8Array.from(Buffer.from('PK\u0003\u0004program.pkl'))],
  ])('%s is refused, and the error says what to do', async (_what, bytes) => {
    await expect(new Notes().load(bytes)).rejects.toMatchObject({
      code: 'program/state-pickled',
      message: expect.stringContaining("program.save('program.json')") as string,
    });
  });
});

group('all or nothing', () => {
  test.each(formats)('%s with any byte changed changes nothing, or is taken whole', async (format) => {
    const bytes = await bytesOf(taught(), format);
    const program = new Notes();
    program.answer.predict.demos = [{ question: 'kept', answer: 'kept' }];
    const before = program.dumpState();
    const place = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 3 }), async (places) => {
        const changed = Uint8Array.from(bytes);
        for (const [index, byte] of places) changed[index] = byte;
        const error: unknown = await program.load(changed).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error === undefined || isCodedError(error)).toBe(true);
        if (error === undefined) program.loadState(before);
        expect(program.dumpState()).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  test.each<readonly [string, Partial<Record<keyof ModuleState, unknown>>, string]>([
    ['no parameters', { parameters: {} }, 'program/state-missing'],
    ['no predictors', { predictors: {} }, 'program/state-missing'],
    ['parameters that are a list', { parameters: [] }, 'program/state-invalid'],
    ['no version', { version: undefined }, 'program/state-invalid'],
    ['a mode that is none', { mode: 'sleep' }, 'program/state-invalid'],
    ['an older layout', { format: 0 }, 'program/state-invalid'],
    ['a newer layout', { format: 2 }, 'state/version-too-new'],
  ])('a file of %s', async (_what, change, code) => {
    const program = new Notes();
    const before = program.dumpState();
    await expect(program.load(await fileWith(change))).rejects.toMatchObject({ code });
    expect(program.dumpState()).toEqual(before);
  });

  test('a state of another kind', async () => {
    await expect(new Notes().load(await fileWith({}, 'runtime'))).rejects.toMatchObject({
      code: 'program/state-invalid',
      message: expect.stringContaining('"runtime"') as string,
    });
  });
});

group('versions of a class', () => {
  const of = (version: string, more: object = {}): Module =>
    new (Object.assign(class extends Notes {}, { version, ...more }))();
  const saved = (version: string): Promise<Uint8Array> => bytesOf(of(version), 'msgpack');

  test('the same is taken', async () => {
    expect(await of('1.0.0').load(await saved('1.0.0'))).toEqual([]);
    expect(await of('1.0.0+build').load(await saved('1.0.0'))).toEqual([]);
  });

  test('a newer one is refused, with both versions', async () => {
    for (const work of [
      of('1.0.0').load(await saved('1.0.1')),
      of('1.0.0').load(await saved('1.1.0-beta')),
    ]) {
      await expect(work).rejects.toMatchObject({
        code: 'state/version-too-new',
        fields: { supported: '1.0.0' },
      });
    }
    expect(() => of('1.0.0').loadState(of('2.0.0').dumpState())).toThrow(/has version 2\.0\.0, the newest/);
  });

  test('an older one needs a way, and an unordered one too', async () => {
    for (const [from, to] of [
      ['1.0.0', '1.1.0'],
      ['first', '1.1.0'],
    ] as const) {
      await expect(of(to).load(await saved(from))).rejects.toMatchObject({
        code: 'state/migration-path-not-found',
        fields: { from, to },
      });
    }
  });

  test('migrate is the way of what is at hand and of files', async () => {
    const migrate = (state: ModuleState, from: string): ModuleState => {
      expect(from).toBe('1.0.0');
      const { limit, ...parameters } = state.parameters;
      return { ...state, parameters: { ...parameters, limit: { ...limit, value: 7 } as never } };
    };
    const old = of('1.0.0');
    const state = old.dumpState();
    const [one, other] = [of('1.1.0', { migrate }), of('1.1.0', { migrate })] as [Notes, Notes];
    one.loadState(state);
    await other.load(await bytesOf(old, 'etf'));
    expect([one.limit.value, other.limit.value]).toEqual([7, 7]);
    expect(state.parameters.limit?.value).toBe(3);
    expect(() => of('1.1.0', { migrate: () => undefined }).loadState(state)).toThrow(/returned no state/);
  });

  test('migrations are the way of files, step by step; one that fails changes nothing', async () => {
    const set = (value: number) => (state: ModuleState) => ({
      ...state,
      parameters: { ...state.parameters, limit: { ...state.parameters.limit, value } },
    });
    const steps = [
      { from: '1.0.0', to: '1.1.0', up: set(7) },
      { from: '1.1.0', to: '1.2.0', up: async (state: ModuleState) => set(8)(state) },
    ];
    const migrations = defineMigrations({ name: 'notes', steps });
    const program = of('1.2.0', { migrations }) as Notes;
    await program.load(await saved('1.0.0'));
    expect(program.limit.value).toBe(8);
    const failing = defineMigrations({
      name: 'notes',
      steps: [
        steps[0] as (typeof steps)[number],
        { from: '1.1.0', to: '1.2.0', up: () => Promise.reject(new Error('no')) },
      ],
    });
    const other = of('1.2.0', { migrations: failing }) as Notes;
    await expect(other.load(await saved('1.0.0'))).rejects.toMatchObject({
      code: 'state/migration-failed',
      fields: { from: '1.1.0', to: '1.2.0' },
    });
    expect(other.limit.value).toBe(3);
    await expect(program.load(await saved('0.9.0'))).rejects.toMatchObject({
      code: 'state/migration-path-not-found',
      fields: { known: ['1.0.0', '1.1.0', '1.2.0'] },
    });
  });
});

/** A file that DSPy could have written, but for what its demo holds, and whatever follows it. */
async function dspyFile(question: string, more = ''): Promise<Uint8Array> {
  const program = new Predict('question -> answer');
  program.demos = [{ question: 'HERE' }];
  const text = await program.save();
  const at = text.lastIndexOf('}');
  return new TextEncoder().encode(`${text.slice(0, at).replace('"HERE"', question)}${more}}`);
}
const levels = (count: number): string => '['.repeat(count) + ']'.repeat(count);

/** DSPy's JSON as a format of values: a value is what a demo holds. */
describeFormat({
  name: "DSPy's JSON",
  write: (value, isGzipped = false) => {
    const program = new Predict('question -> answer');
    program.demos = [{ question: value }];
    return bytesOf(program, 'json', isGzipped);
  },
  read: async (bytes, limits) => {
    if (limits) await openFile(bytes, limits);
    const program = new Predict('question -> answer');
    await program.load(bytes);
    return plain((program.demos[0] as { readonly question?: unknown } | undefined)?.question);
  },
  // a number is read as a float or an int by its text, and an int beyond 2^53 loses digits, as in JSON everywhere
  values: jsonValues.map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  refused: [
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a bigint', 1n],
    ['a map', new Map()],
    ['bytes', new Uint8Array(2)],
  ],
  path: /^self: /,
  isSealed: false,
  otherCodes: ['program/state-invalid', 'program/state-missing'],
  hostile: [
    ['a million levels', new TextEncoder().encode('['.repeat(1_000_000)), ['program/state-invalid']],
    [
      'a million levels of objects',
      new TextEncoder().encode('{"a":'.repeat(1_000_000)),
      ['program/state-invalid'],
    ],
    ['a million levels, all of them closed', await dspyFile(levels(1_000_000)), ['program/state-invalid']],
    [
      'a thousand levels beside it',
      await dspyFile('1', `,"more":${levels(1000)}`),
      ['program/state-invalid'],
    ],
    ['a text that is no JSON behind it', await dspyFile('1', ',"more":01'), ['program/state-invalid']],
    ['text that is no UTF-8', Uint8Array.of(0x7b, 0xff), ['program/state-invalid']],
    [
      'three million lists',
      new TextEncoder().encode(`{"a":[[]${',[]'.repeat(3 * 2 ** 20)}]}`),
      ['program/state-invalid'],
    ],
    [
      'a number of a million digits',
      new TextEncoder().encode(`{"a":${'1'.repeat(1_000_000)}}`),
      ['program/state-invalid'],
    ],
  ],
});

/** Floats without a fraction, which are read as `{ $float: '1.0' }`, as numbers. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === '$float') return Number(first[1]);
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}
