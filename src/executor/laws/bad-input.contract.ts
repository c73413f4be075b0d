/** What nobody should hand over is refused by name or ends as an outcome, in every language, and the next run works. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { CodedError, isCodedError } from '../../base/index.ts';
import type { Executor } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import type { Outcome } from '../outcome.ts';
import { codeOf, expectType, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { lawOf, lines } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

/** Values that cannot cross into any language. */
const uncrossable: readonly (readonly [name: string, value: unknown])[] = [
  ['a function', () => 1],
  ['a class', class {}],
  ['a symbol', Symbol('s')],
  ['nothing at all', undefined],
  ['an error', new Error('e')],
  ['a promise', Promise.resolve(1)],
  ['a weak map', new WeakMap()],
  ['a proxy that throws', new Proxy({}, { ownKeys: () => fail(), getPrototypeOf: () => fail() })],
  ['a getter that throws', Object.defineProperty({}, 'x', { enumerable: true, get: fail })],
  ['an element of the page', globalThis.document?.createElement('p')],
  ['the page', globalThis],
  ['a cycle', cycleOf((inner) => [inner])],
  ['a cycle of objects', cycleOf((inner) => ({ inner }))],
  ['a cycle of maps', cycleOf((inner) => new Map([[1, inner]]))],
  ['a date that is none', new Date(NaN)],
  ['a date before the year 1', new Date(-8.64e15)],
  ['a date after the year 9999', new Date(8.64e15)],
  ['a list that is too deep', deepList(100)],
  ['shared memory', globalThis.SharedArrayBuffer && new SharedArrayBuffer(8)],
];

/** What is not code, in a language whose programs are text. */
const notCode: readonly (readonly [name: string, code: unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 1],
  ['an object', { toString: () => '1' }],
  ['a list of lines', ['1']],
];

/** @param open makes an executor of the kind under test */
export function badInputLaws(open: OpenExecutor, spelling: Spelling): void {
  const { number, say, values, variable } = spelling;
  let executor: Executor;
  beforeAll(() => {
    executor = open();
  });
  afterAll(() => executor[Symbol.asyncDispose]());
  // whatever was handed over
  afterEach(async () => {
    expect(await valueOf(executor, number(2))).toBe(2);
  });

  test.each(notCode)('%s as code is refused', async (_name, code) => {
    expect(await codeOf(executor.execute(code as never))).toBe('executor/option-invalid');
  });

  test.each([
    ['no code at all', ''],
    ['spaces and line ends', ' \n\t\r\n '],
  ])('%s ends with nothing', async (_name, code) => {
    const outcome = await executor.execute(code);
    // a module that is not there is missed
    const missing = { type: 'threw', error: { type: 'ReferenceError' } };
    expect(outcome).toMatchObject(spelling.language === 'wat' ? missing : { type: 'returned', value: null });
  });

  test.each([
    ['a null byte', '\0'],
    ['half of a surrogate pair', '\ud800'],
    ['the other half', '\udc00'],
    ['a mark of byte order in the middle', '\ufeff\ufeff'],
    ['words that are no program', 'this is 3 words; of no language: whatsoever {'],
  ])('%s in the code ends as an outcome', async (_name, text) => {
    const outcome = await executor.execute(lines(say('ran'), text));
    expect(outcome.type).toMatch(/^(?:syntax-error|threw|returned)$/u);
    expect(outcome.isSandboxLost).toBe(false);
  });

  test.each(uncrossable)('%s as a variable is refused by name', async (_name, value) => {
    const refused: unknown = await executor
      .execute(number(1), { variables: { [variable]: value as GuestValue } })
      .then(undefined, (error: unknown) => error);
    expect(isCodedError(refused) ? refused.code : refused).toBe('executor/variable-invalid');
    expect((refused as CodedError).message).toContain(variable);
  });

  test.each([['a b'], ['a-b'], ['1a'], [''], ['a\0'], ['\ud800'], ['é;'], ['x'.repeat(300)]])(
    'the name %j is refused for a variable',
    async (name) => {
      expect(await codeOf(executor.execute(number(1), { variables: { [name]: 1 } }))).toBe(
        'executor/variable-invalid',
      );
    },
  );

  lawOf(values, 'what is extreme and yet a value comes back as it went in', async ({ read }) => {
    const extreme: readonly GuestValue[] = [
      NaN,
      Infinity,
      -Infinity,
      -0,
      5e-324,
      1.7976931348623157e308,
      Number.MAX_SAFE_INTEGER,
      2n ** 20_000n,
      -(2n ** 20_000n),
      new Date('0001-01-02T00:00:00Z'),
      new Date('9999-12-30T00:00:00Z'),
      '\0\ud800\uffff',
      '',
      [],
    ];
    const outcome = await executor.execute(read('x'), { variables: { x: extreme } });
    expect(expectType(outcome, 'returned').value).toEqual(extreme);
  });

  test('two runs of one session at once are one after the other', async () => {
    await using session = await executor.createSession();
    const runs = [1, 2, 3].map((value) => session.execute(number(value)));
    expect(await Promise.all(runs)).toMatchObject([{ value: 1 }, { value: 2 }, { value: 3 }]);
  });

  test('options that make no sense are refused', async () => {
    const wrong = [
      { timeoutMs: -1 },
      { timeoutMs: '5' },
      { outputs: [1] },
      { outputs: [''] },
      { outputs: 'x' },
    ];
    for (const options of wrong) {
      const code = await codeOf(executor.execute(number(1), {}, options as never));
      expect([options, code]).toEqual([
        options,
        expect.stringMatching(/^executor\/(?:option|variable)-invalid$/u),
      ]);
    }
  });

  test('a listener that ends what it listens to ends it once', async () => {
    const session = await executor.createSession();
    const ended: PromiseLike<void>[] = [];
    const onOutput = (): void => void ended.push(session[Symbol.asyncDispose]());
    const outcome: Outcome = await session.execute(lines(say('a'), spelling.loop), {}, { onOutput });
    await Promise.all([...ended, session[Symbol.asyncDispose]()]);
    expect(outcome.type).toBe('cancelled');
  });
}

function fail(): never {
  throw new CodedError('lm/overloaded', 'mine');
}

function cycleOf(wrap: (inner: unknown) => object): object {
  const box: unknown[] = [];
  const cycle = wrap(box);
  box.push(cycle);
  return cycle;
}

function deepList(depth: number): readonly unknown[] {
  return depth === 0 ? [] : [deepList(depth - 1)];
}
