import { expect, test } from 'vitest';
import { CodedError } from '../../../../base/index.ts';
import type { ExecutionContext, Executor, Session } from '../../../executor.ts';
import type { GuestValue } from '../../../guest-value.ts';
import type { Outcome } from '../../../outcome.ts';
import type { SandboxId } from '../../../sandbox/sandbox-id.ts';
import { python } from '../python.ts';
import type { InterpreterTool, PythonInterpreterOptions } from './python-interpreter.ts';
import { SessionInterpreter } from './session-interpreter.ts';

const ending = { stdout: '', stderr: '', durationMs: 1, isSandboxLost: false };
const returned = (value: GuestValue): Outcome => ({ type: 'returned', value, variables: {}, ...ending });
const cancelled: Outcome = { type: 'cancelled', ...ending, isSandboxLost: true };

type Answer = (code: string, context: ExecutionContext) => Outcome | Promise<Outcome>;

/** A session that answers what the test says; `wait` goes on until it is disposed. */
class ScriptedSession implements Session {
  readonly id = 'sandbox-1' as SandboxId;
  readonly runs: string[] = [];
  readonly #answer: Answer;
  isDisposed = false;
  #end: (() => void) | undefined;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  execute(code: string, context: ExecutionContext = {}): Promise<Outcome> {
    if (this.isDisposed) return Promise.reject(new CodedError('executor/disposed', 'it was disposed'));
    this.runs.push(code);
    if (code !== 'wait') return Promise.resolve(this.#answer(code, context));
    return new Promise((resolve) => {
      this.#end = () => resolve(cancelled);
    });
  }

  interrupt(): void {
    this.#end?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.isDisposed = true;
    this.#end?.();
    return Promise.resolve();
  }
}

interface Scene extends Omit<PythonInterpreterOptions, 'executor'> {
  readonly answer?: Answer;
  /** Sessions open when they are told to. */
  readonly isHeld?: boolean;
}

function openInterpreter({ answer = () => returned(null), isHeld = false, ...options }: Scene = {}) {
  const sessions: ScriptedSession[] = [];
  const opens: (() => void)[] = [];
  const executor: Executor = {
    language: 'python',
    capabilities: python.capabilities,
    execute: () => Promise.reject(new Error('not asked for')),
    createSession: () =>
      new Promise((resolve) => {
        const open = (): void => {
          const session = new ScriptedSession(answer);
          sessions.push(session);
          resolve(session);
        };
        opens.push(open);
        if (!isHeld) open();
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return { python: new SessionInterpreter({ executor, ...options }, ''), sessions, opens };
}

/** The caller's own code, without that which puts tools in place and reads files. */
const ownRuns = ({ runs }: ScriptedSession): readonly string[] => runs.filter((code) => code.length < 10);
const stopped = { code: 'executor/python-stopped', fields: { isStateLost: true } };

test('a shutdown while the session opens ends the call at once, and the session when it is there; nothing runs in it', async () => {
  const { python, sessions, opens } = openInterpreter({ isHeld: true });
  const running = python.execute('1');
  await expect.poll(() => opens).toHaveLength(1);
  await python.shutdown();
  await expect(running).rejects.toMatchObject(stopped);
  const next = python.execute('2');
  await expect.poll(() => opens).toHaveLength(2);
  for (const open of opens) open();
  await next;
  expect(sessions.map(({ isDisposed }) => isDisposed)).toEqual([true, false]);
  expect(sessions.map(ownRuns)).toEqual([[], ['2']]);
});

test('a shutdown while the host reads files ends the call before anything runs', async () => {
  let read = (_content: Uint8Array): void => undefined;
  const { python, sessions } = openInterpreter({
    enableReadPaths: ['f'],
    files: {
      read: () => new Promise((resolve) => (read = resolve)),
      write: () => Promise.resolve(),
    },
  });
  const running = python.execute('1');
  await expect.poll(() => sessions).toHaveLength(1);
  await python.shutdown();
  read(new Uint8Array());
  await expect(running).rejects.toMatchObject(stopped);
  expect(sessions[0]?.runs).toEqual([]);
});

test('a shutdown ends the call that runs and those behind it; what is called later has a session of its own', async () => {
  const { python, sessions } = openInterpreter();
  const [running, waiting] = [python.execute('wait'), python.execute('1')];
  await expect.poll(() => sessions[0]?.runs).toContain('wait');
  const ends = Promise.allSettled([running, waiting]);
  await python.shutdown();
  await python.execute('2');
  const rejected = { status: 'rejected', reason: stopped };
  expect(await ends).toMatchObject([rejected, rejected]);
  expect(sessions.map(ownRuns)).toEqual([['wait'], ['2']]);
});

/** The tool is called while `call` runs. */
const callTool: Answer = async (code, { tools = {} }) => {
  if (code !== 'call') return returned(code.length < 10 ? code : null);
  const [tool] = Object.values(tools);
  const { signal } = new AbortController();
  const value = await (tool as { call: (given: unknown) => GuestValue | Promise<GuestValue> }).call({
    named: {},
    arguments: [],
    signal,
  });
  return returned(value);
};

test('who calls while a tool is at work waits for its turn', async () => {
  let answer = (_value: GuestValue): void => undefined;
  const slow: InterpreterTool = { call: () => new Promise<GuestValue>((resolve) => (answer = resolve)) };
  const { python, sessions } = openInterpreter({ answer: callTool, tools: { slow } });
  const calling = python.execute('call');
  await expect.poll(() => sessions[0]?.runs).toContain('call');
  const other = python.execute('2');
  answer(7);
  expect([(await calling).value, (await other).value]).toEqual([7, '2']);
});

test('a tool that calls its own interpreter is told so', async () => {
  const nested: InterpreterTool = { call: async () => (await python.execute('2')).value };
  const { python, sessions } = openInterpreter({ answer: callTool, tools: { nested } });
  await expect(python.execute('call')).rejects.toMatchObject({
    message: expect.stringContaining('a tool cannot use the interpreter') as string,
  });
  expect((await python.execute('3')).value).toBe('3');
  expect(sessions.map(ownRuns)).toEqual([['call', '3']]);
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const tooMuch: Outcome = { type: 'exceeded', limit: 'output', allowed: 16, ...ending };
const submitted: Outcome = { type: 'submitted', value: { answer: 1 }, ...ending };

/** Answers what code that reads files asks for, as long as it is not `large`. */
const readFiles =
  (contents: Readonly<Record<string, string>>, whenLarge: Outcome): Answer =>
  (code) => {
    if (code === 'submit') return submitted;
    const [, list] = /^\{name: .* for name in (\[.*\])\}$/u.exec(code) ?? [];
    if (list === undefined) return returned(null);
    const names = JSON.parse(list) as readonly string[];
    if (names.includes('large')) return whenLarge;
    return returned(Object.fromEntries(names.map((name) => [name, bytes(contents[name] ?? '')])));
  };

function lend(answer: Answer, write: (path: string) => Promise<void> = () => Promise.resolve()) {
  const written: string[] = [];
  const files = {
    read: () => Promise.resolve(new Uint8Array()),
    write: async (path: string) => {
      await write(path);
      written.push(path);
    },
  };
  const enableWritePaths = ['out/one', 'out/large', 'out/two'];
  return { ...openInterpreter({ answer, files, enableWritePaths }), written };
}

test('a file that has grown too large keeps back neither the answer nor the other files', async () => {
  const { python, sessions, written } = lend(readFiles({ one: '1', two: '2' }, tooMuch));
  for (let round = 0; round < 2; round++) {
    const result = await python.execute('submit');
    expect(result).toMatchObject({
      final: { output: { answer: 1 } },
      unsavedFiles: [{ path: 'out/large', reason: expect.stringContaining('limit') as string }],
    });
  }
  expect(written).toEqual(['out/one', 'out/two']);
  expect(sessions).toHaveLength(1);
});

test('a guest that does not answer for its files is asked once', async () => {
  const late: Outcome = { type: 'exceeded', limit: 'time', allowed: 100, ...ending };
  const { python, sessions } = lend(readFiles({}, late));
  const { unsavedFiles } = await python.execute('submit');
  expect(unsavedFiles.map(({ path }) => path)).toEqual(['out/one', 'out/large', 'out/two']);
  expect(sessions[0]?.runs).toHaveLength(3);
});

test('what the host could not write is told beside the answer, and tried again', async () => {
  let isFull = true;
  const contents = { one: '1', large: '', two: '2' };
  const answer: Answer = (code, context) =>
    readFiles(contents, returned({ one: bytes('1'), two: bytes('2') }))(code, context);
  const { python, written } = lend(answer, (path) =>
    isFull && path === 'out/one' ? Promise.reject(new Error('no room')) : Promise.resolve(),
  );
  expect((await python.execute('submit')).unsavedFiles).toEqual([{ path: 'out/one', reason: 'no room' }]);
  isFull = false;
  expect((await python.execute('submit')).unsavedFiles).toEqual([]);
  expect(written).toEqual(['out/two', 'out/one']);
});

test('an error of the code tells of the files, too', async () => {
  const threw: Outcome = {
    type: 'threw',
    error: { type: 'ValueError', message: 'no', traceback: '', line: 1 },
    ...ending,
  };
  const read = readFiles({}, tooMuch);
  const { python } = lend((code, context) => (code === 'raise' ? threw : read(code, context)));
  await expect(python.execute('raise')).rejects.toMatchObject({
    code: 'executor/python-threw',
    fields: { unsavedFiles: [{ path: 'out/large' }] },
  });
});

const restoring = (names: readonly string[], lost: readonly string[]) => ({
  restored: { names, lost: lost.map((name) => ({ name, reason: 'cannot be pickled' })), missedRuns: 0 },
});

test('a stuck call says what comes back; the next one says it once more, as it came about', async () => {
  let isNew = false;
  const { python } = openInterpreter({
    tools: { echo: { call: () => 1 } },
    answer: (code) => {
      if (code === 'stuck') isNew = true;
      if (code === 'stuck') return { ...cancelled, ...restoring(['x', 'echo', '_page_echo'], ['gen']) };
      if (!isNew) return returned(1);
      isNew = false;
      return { ...returned(null), ...restoring(['echo'], ['gen', 'x', '_page_defaults']) } as Outcome;
    },
  });
  await python.execute('1');
  const reason = 'cannot be pickled';
  await expect(python.execute('stuck')).rejects.toMatchObject({
    code: 'executor/python-stopped',
    fields: {
      isStateLost: false,
      restored: { names: ['x'], lost: [{ name: 'gen', reason }], missedRuns: 0 },
    },
  });
  await python.start();
  const lost = [
    { name: 'gen', reason },
    { name: 'x', reason },
  ];
  expect((await python.execute('1')).restored).toEqual({ names: [], lost, missedRuns: 0 });
  expect(await python.execute('1')).not.toHaveProperty('restored');
});

test('what comes back with nothing of the code has lost its state', async () => {
  const { python } = openInterpreter({
    tools: { echo: { call: () => 1 } },
    answer: (code) => (code === 'stuck' ? { ...cancelled, ...restoring(['echo'], ['x']) } : returned(1)),
  });
  await expect(python.execute('stuck')).rejects.toMatchObject({
    fields: { isStateLost: true, restored: { names: [], lost: [{ name: 'x' }] } },
  });
});

test.each([
  [false, ['f', 'g'], ['g']],
  [true, ['f', 'g'], ['f', 'g']],
])(
  'files of the host, with syncFiles %s, are given again after a loss unless they are the only copy',
  async (syncFiles, first, second) => {
    const mounted: string[][] = [];
    const { python } = openInterpreter({
      syncFiles,
      enableWritePaths: ['f', 'g'],
      files: { read: () => Promise.resolve(new Uint8Array()), write: () => Promise.resolve() },
      answer: (code, { files }) => {
        if (files) mounted.push(Object.keys(files));
        if (code === 'stuck') return cancelled;
        return returned(code.startsWith('[name for') ? ['f'] : null);
      },
    });
    await expect(python.execute('stuck')).rejects.toMatchObject({ code: 'executor/python-stopped' });
    await python.execute('1');
    expect(mounted).toEqual([first, second]);
  },
);
