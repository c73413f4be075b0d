/** Bounds hold, whatever the guest does and whatever it is handed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import { codeOf, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { have, lawOf, lines } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly work: (executor: Executor) => Promise<unknown>;
}

/** What no language takes. @param one code that would run */
const refusals = (one: string): readonly Refusal[] => [
  { name: '50 MB of code', code: 'code-too-large', work: (it) => it.execute('x'.repeat(50_000_000)) },
  { name: 'no time at all', code: 'option-invalid', work: (it) => it.execute(one, {}, { timeoutMs: 0 }) },
  { name: 'NaN as time', code: 'option-invalid', work: (it) => it.execute(one, {}, { timeoutMs: NaN }) },
];

/** Names and values that no language takes as variables. */
const badVariables: readonly (readonly [name: string, variables: Record<string, unknown>])[] = [
  ['a name with a dash', { 'a-b': 1 }],
  ['an empty name', { '': 1 }],
  ['a function', { x: () => 1 }],
  ['an instance', { x: new Error('e') }],
  ['a cycle', { x: cycle() }],
  ['70 MB of data', { x: new Uint8Array(70e6) }],
];

const badFiles: readonly (readonly [name: string, files: Record<string, string | Uint8Array>])[] = [
  ['a path upwards', { '../x': '' }],
  ['an absolute path', { '/etc/x': '' }],
  ['40 MB of files', { x: new Uint8Array(40e6) }],
];

/** @param open makes an executor of the kind under test */
export function limitLaws(open: OpenExecutor, spelling: Spelling): void {
  const { number, say, loop, values } = spelling;
  const one = number(1);
  let executor: Executor;
  beforeAll(() => {
    executor = open({ limits: { wallTimeMs: 20_000 } });
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  test.each(spelling.hostile)('$name ends as it must, and the next run works', async (hostile) => {
    const { code, check, timeoutMs } = hostile;
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    const runOnce = async (): Promise<void> => {
      check(await executor.execute(code, {}, options));
      expect(await valueOf(executor, number(2))).toBe(2);
    };
    const runInSession = async (): Promise<void> => {
      await using session = await executor.createSession();
      const variables = have(values);
      if (variables) await session.execute(variables.set('kept', 1));
      const outcome = await session.execute(code, {}, options);
      check(outcome);
      expect(await valueOf(session, number(2))).toBe(2);
      // they are gone exactly when the flag says so, and nothing says that they came back
      const isSaidToBeKept = !outcome.isSandboxLost || (outcome.restored?.names.includes('kept') ?? false);
      const isKept = variables ? await valueOf(session, variables.has('kept')) : isSaidToBeKept;
      expect(isKept).toBe(isSaidToBeKept);
    };
    await Promise.all([runOnce(), runInSession()]);
  });

  test.each(refusals(one))('$name is refused with executor/$code', async ({ code, work }) => {
    expect(await codeOf(work(executor))).toBe(`executor/${code}`);
  });

  lawOf(values, 'names and values that cannot be variables are refused', async ({ badNames }) => {
    const named = badNames.map((name): (typeof badVariables)[number] => [name, { [name]: 1 }]);
    for (const [name, variables] of [...badVariables, ...named]) {
      const code = await codeOf(executor.execute(one, { variables: variables as never }));
      expect([name, code]).toEqual([name, 'executor/variable-invalid']);
    }
    expect(await codeOf(executor.execute(one, {}, { outputs: ['a b'] }))).toBe('executor/variable-invalid');
  });

  lawOf(spelling.readFiles, 'paths and contents that cannot be files are refused', async () => {
    for (const [name, files] of badFiles) {
      expect([name, await codeOf(executor.execute(one, { files }))]).toEqual([name, 'executor/file-invalid']);
    }
  });

  test('the next run works after refusals', async () => {
    expect(await valueOf(executor, number(2))).toBe(2);
  });

  test('a limit that makes no sense is refused', async () => {
    for (const limits of [{ wallTimeMs: 0 }, { memoryBytes: 1 }, { outputBytes: NaN }, { unknown: 1 }]) {
      expect(await codeOf(Promise.resolve().then(() => open({ limits })))).toBe('executor/limit-invalid');
    }
  });

  lawOf(spelling.deletedFiles, 'files that were deleted no longer count', async (code) => {
    expect(await valueOf(executor, code)).toBe('ok');
  });

  test('text printed before a stop is kept', async () => {
    const outcome = await executor.execute(lines(say('before'), loop), {}, { timeoutMs: 300 });
    expect(outcome).toMatchObject({ type: 'exceeded', stdout: 'before\n' });
  });

  test('the page stays quick while guests flood it', async () => {
    const delaysMs: number[] = [];
    let lastMs = performance.now();
    const timer = setInterval(() => {
      delaysMs.push(performance.now() - lastMs);
      lastMs = performance.now();
    }, 10);
    await executor.execute(spelling.flood);
    clearInterval(timer);
    // the worst single delay says more of the machine than of the flood
    const ninetyFifth = delaysMs.toSorted((a, b) => a - b)[Math.floor(delaysMs.length * 0.95)];
    expect(ninetyFifth).toBeLessThan(250);
  });
}

function cycle(): GuestValue {
  const list: GuestValue[] = [];
  list.push(list);
  return list;
}
