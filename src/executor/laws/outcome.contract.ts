/** Every end of a run is told as what it is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor, OutputPart, Session } from '../executor.ts';
import { expectType, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { have, lawOf, lines } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

/** @param open makes an executor of the kind under test */
export function outcomeLaws(open: OpenExecutor, spelling: Spelling): void {
  const { say, loop } = spelling;
  let executor: Executor;
  let session: Session;
  beforeAll(async () => {
    executor = open();
    session = await executor.createSession();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  lawOf(spelling.bothStreams, 'printed text is kept beside a value', async (code) => {
    const outcome = await session.execute(code);
    expect(outcome).toMatchObject({ type: 'returned', value: 0, stdout: 'out\n', stderr: 'err\n' });
  });

  test('text arrives while the code still runs', async () => {
    const parts: OutputPart[] = [];
    const seen = new Promise<void>((resolve) => {
      const onOutput = (part: OutputPart): void => {
        parts.push(part);
        resolve();
      };
      void session.execute(lines(say('early é'), loop), {}, { onOutput, timeoutMs: 5000 });
    });
    await seen;
    expect(parts).toEqual([{ stream: 'stdout', text: 'early é\n' }]);
    session.interrupt();
  });

  lawOf(
    spelling.byCharacter,
    'text that is flushed by the character arrives whole, in few parts',
    async (code) => {
      const parts: OutputPart[] = [];
      const outcome = await session.execute(code, {}, { onOutput: (part) => void parts.push(part) });
      expect(outcome.stdout.replaceAll('\n', '')).toBe('a'.repeat(10_000));
      expect(outcome.stderr.replaceAll('\n', '')).toBe('b'.repeat(10_000));
      expect(parts.length).toBeLessThan(2000);
    },
  );

  lawOf(spelling.submit, 'SUBMIT ends the run with an answer', async ({ named, single }) => {
    const outcome = expectType(await session.execute(named), 'submitted');
    expect({ ...outcome.value }).toEqual({ answer: [1, null], note: 'n' });
    expect(outcome.stdout).toBe('a\n');
    expect({ ...expectType(await session.execute(single), 'submitted').value }).toEqual({ output: 0 });
  });

  lawOf(spelling.failing, 'an exception names its line and shows the guest alone', async (failing) => {
    const { error } = expectType(await session.execute(failing.code), 'threw');
    expect(error).toMatchObject({ type: failing.type, message: failing.message, line: 2 });
    for (const pattern of failing.traceback) expect(error.traceback).toMatch(pattern);
    expect(error.traceback).not.toMatch(failing.hidden);
  });

  test.each(spelling.exceptions)('%s is an exception', async (code, type, message) => {
    expect(await session.execute(code)).toMatchObject({ type: 'threw', error: { type, message } });
  });

  test('a syntax error has its place, and nothing of the code runs', async () => {
    const { code, column, message } = spelling.syntaxError;
    const outcome = await session.execute(code);
    expect(outcome).toMatchObject({ type: 'syntax-error', line: 2, column, stdout: '' });
    expect(expectType(outcome, 'syntax-error').message).toMatch(message);
  });

  test.each(have(spelling.denied) ?? [])(
    '%s is denied by default, and nothing of the code runs',
    async (code) => {
      const outcome = await session.execute(lines(say('ran'), code));
      expect(outcome).toMatchObject({
        type: 'denied',
        code: 'executor/denied',
        permission: 'module',
        stdout: '',
      });
    },
  );

  lawOf(spelling.values, 'a missing output is an exception', async ({ set, missing }) => {
    const outcome = await session.execute(set('found', 1), {}, { outputs: ['found', 'missing'] });
    expect(outcome).toMatchObject({ type: 'threw', error: { type: missing } });
  });

  lawOf(spelling.readFiles, 'files are there before the code runs', async (code) => {
    const files = { 'data/a.csv': 'x,y\n1,é\n', 'b.bin': new Uint8Array([0, 200]) };
    expect(expectType(await session.execute(code, { files }), 'returned').value).toEqual([
      'x,y\n1,é\n',
      new Uint8Array([0, 200]),
    ]);
  });

  lawOf(spelling.imports, 'modules can be imported by the names they were given', async (given) => {
    const { imports, asked } = given;
    expect(expectType(await session.execute(asked[0], { imports }), 'returned').value).toEqual(asked[1]);
    // and they stay
    expect(await valueOf(session, asked[0])).toEqual(asked[1]);
  });

  lawOf(
    spelling.faultyModules,
    'what is wrong in a module is told with its file and its line',
    async (faulty) => {
      for (const { context, code, type, fault } of faulty) {
        // each in a session of its own: modules stay
        await using apart = await executor.createSession();
        const outcome = await apart.execute(code, context);
        expect([code, outcome]).toMatchObject([
          code,
          type === 'threw' ? { type, error: fault } : { type, ...fault },
        ]);
      }
    },
  );

  lawOf(spelling.awaiting, 'code may await at its top level', async (programs) => {
    for (const [code, value] of programs) expect(await valueOf(session, code)).toEqual(value);
  });
}
