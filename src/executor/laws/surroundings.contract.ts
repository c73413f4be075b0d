/** What a run is given around its code, and what the policy says of it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExecutionContext, Executor } from '../executor.ts';
import { codeOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { lawOf, lines } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

/** @param open makes an executor of the kind under test */
export function surroundingLaws(open: OpenExecutor, spelling: Spelling): void {
  const { number, say, environment, workingDirectory } = spelling;
  let executor: Executor;
  beforeAll(() => {
    executor = open();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  lawOf(environment, 'variables of the environment are there, and no others than its own', async (code) => {
    const context = { environment: { NAME: 'é', HOME: '/other' } };
    expect(await executor.execute(code, context)).toMatchObject({ value: ['é', '/other', null] });
    // another run has none of them
    expect(await executor.execute(code, { environment: { HOME: '/other' } })).not.toMatchObject({
      value: ['é', '/other', null],
    });
  });

  lawOf(environment, 'variables of the environment stay in a session', async (code) => {
    await using session = await executor.createSession();
    await session.execute(number(1), { environment: { NAME: 'kept', HOME: '/a' } });
    expect(await session.execute(code, { environment: { HOME: '/b' } })).toMatchObject({
      value: ['kept', '/b', null],
    });
  });

  lawOf(workingDirectory, 'the code starts in its folder, which is made', async (code) => {
    const context = { workingDirectory: 'a/b', files: { 'a/b/x': '1' } };
    expect(await executor.execute(code, context)).toMatchObject({ value: ['/sandbox/a/b', '1'] });
  });

  lawOf(workingDirectory, 'a session stays in its folder', async (code) => {
    await using session = await executor.createSession();
    await session.execute(number(1), { workingDirectory: 'c', files: { 'c/x': '2' } });
    expect(await session.execute(code)).toMatchObject({ value: ['/sandbox/c', '2'] });
  });

  test.each<[string, ExecutionContext]>([
    ['a name with a dash', { environment: { 'a-b': '' } }],
    ['a value with NUL', { environment: { a: '\0' } }],
    ['a value with half of a surrogate pair', { environment: { a: '\ud800' } }],
    ['a number in the environment', { environment: { a: 1 as never } }],
    ['a folder upwards', { workingDirectory: '../x' }],
    ['an absolute folder', { workingDirectory: '/etc' }],
    ['a number as folder', { workingDirectory: 1 as never }],
  ])('%s is refused', async (_name, context) => {
    expect(await codeOf(executor.execute(number(1), context))).toBe('executor/option-invalid');
  });

  lawOf(
    environment,
    'an environment that the policy does not let be handed over is denied by its rule, and nothing runs',
    async () => {
      await using strict = open({ policy: { files: ['data/**'], environment: ['A'] } });
      const denied = { type: 'denied', code: 'executor/denied', line: null, stdout: '' };
      const code = lines(say('1'), number(1));
      expect(await strict.execute(code, { environment: { A: '1', B: '2' } })).toMatchObject({
        ...denied,
        permission: 'environment',
        name: 'B',
      });
      expect(await strict.execute(code, { files: { 'other/x.csv': '' } })).toMatchObject({
        ...denied,
        permission: 'file',
        name: 'other/x.csv',
        rule: 'files',
      });
      const handed = { files: { 'data/x.csv': '' }, environment: { A: '1' } };
      expect(await strict.execute(code, handed)).toMatchObject({ value: 1 });
    },
  );

  lawOf(
    spelling.namesEval,
    'a global that the policy denies is found in the text',
    async ({ code, column }) => {
      await using strict = open({ policy: { deniedGlobals: ['eval'] } });
      expect(await strict.execute(code)).toMatchObject({
        type: 'denied',
        permission: 'global',
        name: 'eval',
        rule: 'deniedGlobals["eval"]',
        line: 2,
        column,
        stdout: '',
      });
    },
  );

  lawOf(
    spelling.deniedParts,
    'a part of a module is denied however it is named, and the rest of the module is not',
    async ({ denied, codes }) => {
      await using strict = open({ policy: { deniedModules: denied } });
      await using session = await strict.createSession();
      for (const [code, name, column] of codes) {
        const rule = `deniedModules[${JSON.stringify(name)}]`;
        expect(await session.execute(code)).toMatchObject({
          type: 'denied',
          permission: 'module',
          name,
          rule,
          line: 2,
          column,
          stdout: '',
        });
      }
    },
  );
}
