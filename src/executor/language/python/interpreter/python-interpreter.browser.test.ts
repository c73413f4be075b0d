import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Executor } from '../../../executor.ts';
import type { GuestValue } from '../../../guest-value.ts';
import { codeOf } from '../../../laws/open-executor.contract.ts';
import { createPythonExecutor } from '../python-executor.ts';
import { createPythonInterpreter } from './python-interpreter.ts';
import type { HostFiles, PythonInterpreter, PythonInterpreterOptions } from './python-interpreter.ts';

// What DSPy 3.3.1 promises of its PythonInterpreter and holds by its tests, in programs of our own.

let executor: Executor;
beforeAll(() => {
  executor = createPythonExecutor({
    assets: { baseUrl: '/sandbox/' },
    frame: 'srcdoc',
    policy: { network: [{ origin: location.origin, methods: ['GET'] }], deniedModules: ['js', 'ctypes'] },
    limits: { sessions: 16 },
  });
});
afterAll(() => executor[Symbol.asyncDispose]());

const open = (options: Partial<PythonInterpreterOptions> = {}): PythonInterpreter =>
  createPythonInterpreter({ executor, ...options });

describe('code and variables', () => {
  let python: PythonInterpreter;
  beforeAll(async () => {
    python = open();
    await python.start();
  });
  afterAll(() => python.shutdown());
  const outputOf = async (code: string, variables?: Readonly<Record<string, GuestValue>>): Promise<unknown> =>
    (await python.execute(code, variables)).output;

  test.each<[string, string, unknown]>([
    ['what is printed, where there is no value', 'print("Hello")', 'Hello\n'],
    ['nothing at all', 'x = 1', ''],
    ['the value of the last expression', 'import math\nr = math.sqrt(16)\nr', 4],
    ['zero', '0', 0],
    ['false', 'False', false],
    ['an empty text', '""', ''],
    ['an empty list', '[]', []],
    ['nested values', '{"a": [1, {"b": None}], "c": (1, 2)}', { a: [1, { b: null }], c: [1, 2] }],
    ['a set', '{3}', [3]],
    ['a large whole number', '2**70', 2n ** 70n],
    ['what is not a number', 'float("nan")', NaN],
    ['bytes', 'b"\\x00\\xff"', new Uint8Array([0, 255])],
    ['text of every kind', '"é\u{1F600}" + chr(0)', 'é\u{1F600}\0'],
    ['an awaited value', 'import asyncio\nawait asyncio.sleep(0, "slept")', 'slept'],
    [
      'what asyncio.run waits for',
      'async def main(): return await asyncio.sleep(0, 5)\nasyncio.run(main())',
      5,
    ],
  ])('%s', async (_name, code, output) => {
    expect(await outputOf(code)).toEqual(output);
  });

  test('what was printed is kept where there is a value', async () => {
    const result = await python.execute('import sys\nprint("out")\nprint("err", file=sys.stderr)\n5');
    expect(result).toEqual({
      output: 5,
      value: 5,
      final: undefined,
      stdout: 'out\n',
      stderr: 'err\n',
      displays: [],
      unsavedFiles: [],
    });
  });

  test.each<[string, GuestValue, string, unknown]>([
    ['a number', 4, 'given + 1', 5],
    ['a float without a fraction', 1.5, 'type(given).__name__', 'float'],
    ['text with quotes and line breaks', 'a"b\'c\\n\n', 'len(given), given', [8, 'a"b\'c\\n\n']],
    ['true, false and none', [true, false, null], '[given, given[2] is None]', [[true, false, null], true]],
    [
      'a dict with lists',
      { list: [1, 2], dict: { a: 'b' } },
      'given["list"][1], given["dict"]["a"]',
      [2, 'b'],
    ],
    ['infinity', Infinity, 'given > 1e308', true],
    ['a text of three megabytes', 'x'.repeat(3_000_000), 'len(given)', 3_000_000],
  ])('%s is a variable', async (_name, given, code, output) => {
    expect(await outputOf(code, { given })).toEqual(output);
  });

  test.each(['for', 'class', 'import', 'None', 'two words', '1st', 'a.b', '', '__builtins__'])(
    'a variable "%s" is refused, and nothing runs',
    async (name) => {
      expect(await codeOf(python.execute('print(1)', { [name]: 1 }))).toBe('executor/variable-invalid');
    },
  );

  test('state stays from call to call, also after an error', async () => {
    await outputOf('import json\ndef double(x): return x * 2\ntotal = 1');
    await expect(python.execute('total += 1\nraise ValueError("no")')).rejects.toMatchObject({
      code: 'executor/python-threw',
    });
    expect(await outputOf('double(total), json.dumps([])')).toEqual([4, '[]']);
  });

  test.each<[string, string, string, Record<string, unknown>]>([
    ['a syntax error', 'x = = 1', 'executor/python-syntax', { line: 1 }],
    ['code that is none at all', '+++', 'executor/python-syntax', {}],
    ['a division by zero', 'x = 1\n1 / 0', 'executor/python-threw', { type: 'ZeroDivisionError', line: 2 }],
    ['a name that is not there', 'nothing_here', 'executor/python-threw', { type: 'NameError' }],
    [
      'a module that is not there',
      'import nothing_here',
      'executor/python-threw',
      { type: 'ModuleNotFoundError' },
    ],
    [
      'arguments that are no JSON',
      'raise ValueError(object(), {1}, b"x")',
      'executor/python-threw',
      { type: 'ValueError' },
    ],
    [
      'a class of its own',
      'class Odd(Exception): pass\nraise Odd("a", 1)',
      'executor/python-threw',
      { type: 'Odd', message: "('a', 1)" },
    ],
    ['leaving', 'import sys\nsys.exit(1)', 'executor/python-threw', { type: 'SystemExit' }],
    ['a value that cannot leave', 'lambda: 1', 'executor/python-threw', { type: 'TypeError' }],
    ['a module that the policy denies', 'import js', 'executor/denied', { permission: 'module', name: 'js' }],
  ])('%s is an error, and the next call works', async (_name, code, expected, fields) => {
    await expect(python.execute(code)).rejects.toMatchObject({ code: expected, fields });
    expect(await outputOf('1 + 1')).toBe(2);
  });

  test('an error has the words of Python, and what was printed before', async () => {
    await expect(python.execute('print("before")\nraise KeyError("k")')).rejects.toMatchObject({
      message: "KeyError: 'k'",
      fields: { stdout: 'before\n', isStateLost: false },
    });
    await expect(python.execute('x = (')).rejects.toMatchObject({
      message: expect.stringMatching(/^Invalid Python syntax\. message: /u) as string,
    });
  });

  test('without declared fields SUBMIT takes one value, or any names', async () => {
    expect(await outputOf('try:\n  SUBMIT("42")\nexcept Exception: pass')).toEqual({
      output: { output: '42' },
    });
    expect(await outputOf('SUBMIT(None)')).toEqual({ output: { output: null } });
    const result = await python.execute('print("seen")\nSUBMIT(a=1, b=[2])\nprint("not seen")');
    expect(result).toMatchObject({ final: { output: { a: 1, b: [2] } }, value: null, stdout: 'seen\n' });
  });

  test('calls that are made at once come one after the other', async () => {
    const codes = ['order = [0]', 'order.append(1)', 'order.append(2)\norder'];
    const results = await Promise.all(codes.map((code) => python.execute(code)));
    expect(results[2]?.output).toEqual([0, 1, 2]);
  });

  test('it says what it is in the words of DSPy', () => {
    expect(python.executionInstructions).toMatch(/^Python runs in Pyodide\/WebAssembly\. State persists/u);
    expect(python.tools).toEqual({});
  });
});

describe('tools and declared outputs', () => {
  let python: PythonInterpreter;
  const calls: unknown[] = [];
  beforeAll(() => {
    python = open({
      outputFields: [{ name: 'answer', type: 'str' }, { name: 'score' }],
      tools: {
        search: {
          description: 'Looks "things" up.\nTwice.',
          parameters: [
            { name: 'query', type: 'str' },
            { name: 'limit', type: 'int', default: 10 },
            { name: 'tags', default: ['a'] },
          ],
          call: (named) => (calls.push({ ...named }), [named['query'] ?? null, named['limit'] ?? null]),
        },
        anything: { call: (named, values) => ({ named: { ...named }, values: [...values] }) },
        slow: { parameters: ['n'], call: async ({ n }) => Number(n) * 2 },
        nothing: { call: () => undefined },
        failing: { call: () => Promise.reject(new TypeError('not today')) },
        nested: { call: async () => (await python.execute('1')).value },
      },
    });
  });
  afterAll(() => python.shutdown());
  const outputOf = async (code: string): Promise<unknown> => (await python.execute(code)).output;

  test('a tool is called by position, by name and with its defaults', async () => {
    const code = 'search("x"), search("y", 2), search(limit=3, query="z", tags=[])';
    expect(await outputOf(code)).toEqual([
      ['x', 10],
      ['y', 2],
      ['z', 3],
    ]);
    expect(calls).toEqual([
      { query: 'x', limit: 10, tags: ['a'] },
      { query: 'y', limit: 2, tags: ['a'] },
      { query: 'z', limit: 3, tags: [] },
    ]);
  });

  test('a tool has a signature and a text', async () => {
    const code = 'import inspect\n[str(inspect.signature(search)), search.__name__, inspect.getdoc(search)]';
    expect(await outputOf(code)).toEqual([
      "(query: 'str', limit: 'int' = 10, tags=['a'])",
      'search',
      'Looks "things" up.\nTwice.',
    ]);
  });

  test('a call that the signature does not allow is a TypeError, and the page is not asked', async () => {
    const before = calls.length;
    for (const code of ['search()', 'search("a", 1, [], 4)', 'search("a", other=1)']) {
      await expect(python.execute(code)).rejects.toMatchObject({ fields: { type: 'TypeError', line: 1 } });
    }
    expect(calls).toHaveLength(before);
  });

  test('tools without parameters, slow ones, and ones that answer nothing', async () => {
    expect(await outputOf('anything(1, k={"a": None})')).toEqual({ named: { k: { a: null } }, values: [1] });
    expect(await outputOf('[slow(n) for n in range(3)]')).toEqual([0, 2, 4]);
    expect(await outputOf('nothing() is None')).toBe(true);
  });

  test('a tool that throws is a RuntimeError that can be caught', async () => {
    expect(await outputOf('try:\n  failing()\nexcept RuntimeError as e:\n  text = str(e)\ntext')).toBe(
      'TypeError: not today',
    );
    await expect(python.execute('\nfailing()')).rejects.toMatchObject({
      code: 'executor/python-threw',
      message: expect.stringContaining('TypeError: not today') as string,
      fields: { line: 2 },
    });
  });

  test('a tool cannot use the interpreter that waits for it', async () => {
    await expect(python.execute('nested()')).rejects.toMatchObject({
      message: expect.stringContaining('a tool cannot use the interpreter') as string,
    });
    expect(await outputOf('1 + 1')).toBe(2);
  });

  test('SUBMIT takes the declared fields, by position or by name', async () => {
    expect(await outputOf('SUBMIT("yes", 1)')).toEqual({ output: { answer: 'yes', score: 1 } });
    expect(await outputOf('SUBMIT(score=0, answer="")')).toEqual({ output: { answer: '', score: 0 } });
    expect(await outputOf('import inspect\nstr(inspect.signature(SUBMIT))')).toBe("(answer: 'str', score)");
    for (const code of ['SUBMIT()', 'SUBMIT("a")', 'SUBMIT("a", 1, 2)', 'SUBMIT(answer="a", other=1)']) {
      await expect(python.execute(code)).rejects.toMatchObject({ fields: { type: 'TypeError' } });
    }
  });
});

/** A folder in memory. */
function openFolder(contents: Record<string, string>) {
  const written: string[] = [];
  const files: HostFiles = {
    read: (path) => {
      const text = contents[path];
      return Promise.resolve(text === undefined ? undefined : new TextEncoder().encode(text));
    },
    write: (path, content) => {
      written.push(path);
      contents[path] = new TextDecoder().decode(content);
      return Promise.resolve();
    },
  };
  return { files, contents, written };
}

describe('files, environment and network', () => {
  test('files are lent by their last name; what the code changes comes back, and no more', async () => {
    const { files, contents, written } = openFolder({ 'in/data.txt': 'é', 'out/kept.txt': 'old' });
    await using python = open({
      files,
      enableReadPaths: ['in/data.txt'],
      enableWritePaths: ['out/kept.txt', 'out/new.txt'],
    });
    const read = await python.execute(
      '[open("/sandbox/data.txt").read(), open("kept.txt").read(), open("new.txt").read()]',
    );
    expect([read.output, written]).toEqual([['é', 'old', ''], ['out/new.txt']]);
    await python.execute(
      'open("new.txt", "w").write("made")\nopen("data.txt", "w").write("mine")\nopen = None',
    );
    expect(contents).toEqual({ 'in/data.txt': 'é', 'out/kept.txt': 'old', 'out/new.txt': 'made' });
    const failing = 'import pathlib\npathlib.Path("kept.txt").write_text("before the error")\n1 / 0';
    await expect(python.execute(failing)).rejects.toMatchObject({ fields: { type: 'ZeroDivisionError' } });
    await python.execute('pathlib.Path("new.txt").unlink()\nSUBMIT(1)');
    expect(contents).toMatchObject({ 'out/kept.txt': 'before the error', 'out/new.txt': 'made' });
    expect(written).toEqual(['out/new.txt', 'out/new.txt', 'out/kept.txt']);
  });

  test('a file that has grown beyond what a result may bring keeps back neither the answer nor other files', async () => {
    const { files, contents } = openFolder({ large: '', small: '' });
    await using python = open({ files, enableWritePaths: ['large', 'small'] });
    const code = 'open("large", "wb").write(bytes(17 * 2**20))\nopen("small", "w").write("1")\nSUBMIT(1)';
    expect(await python.execute(code)).toMatchObject({
      final: { output: { output: 1 } },
      unsavedFiles: [{ path: 'large' }],
    });
    expect(contents).toEqual({ large: '', small: '1' });
    const shortened = await python.execute('open("large", "w").write("2")');
    expect([shortened.output, shortened.unsavedFiles]).toEqual([1, []]);
    expect(contents).toEqual({ large: '2', small: '1' });
  });

  test('files are not written back where that is switched off, and variables of the environment are those enabled', async () => {
    const { files, contents } = openFolder({ f: 'old' });
    await using python = open({
      files,
      enableWritePaths: ['f'],
      syncFiles: false,
      environment: { SEEN: 'yes', SECRET: 'no' },
      enableEnvVars: ['SEEN', 'ABSENT'],
    });
    const code =
      'import os\nopen("f", "w").write("new")\n[os.environ.get(n) for n in ("SEEN", "SECRET", "ABSENT")]';
    expect((await python.execute(code)).output).toEqual(['yes', null, null]);
    expect(contents).toEqual({ f: 'old' });
  });

  test('a file that is not there, two of one name, or paths that lead nowhere are refused', async () => {
    const { files } = openFolder({ 'a/x': '', 'b/x': '' });
    const refused = [
      { files, enableReadPaths: ['none'] },
      { files, enableReadPaths: ['a/x', 'b/x'] },
      { enableReadPaths: ['a/x'] },
    ];
    for (const options of refused)
      expect(await codeOf(open(options).execute('1'))).toBe('executor/file-invalid');
  });

  test('the network is reached at enabled origins in the words of Pyodide, and nowhere else', async () => {
    await using python = open({
      enableNetworkAccess: [location.origin],
      fetch: (url, init) => fetch(url, init),
    });
    const code = `
from pyodide.http import pyfetch, open_url
response = await pyfetch("${location.origin}/fixtures/python/packages/pyodide-lock.json")
[response.status, response.ok, (await response.json())["info"]["python"], len(open_url(response.url).read()) > 100]`;
    expect((await python.execute(code)).output).toEqual([200, true, '3.14.2', true]);
    await expect(python.execute('await pyfetch("https://other.example/")')).rejects.toMatchObject({
      code: 'executor/denied',
      fields: { permission: 'network', name: 'GET https://other.example' },
    });
    await using without = open();
    await expect(
      without.execute(`from pyodide.http import pyfetch\nawait pyfetch("${location.origin}/")`),
    ).rejects.toMatchObject({ code: 'executor/python-threw' });
  });

  test.each<[string, string, Partial<PythonInterpreterOptions>]>([
    ['a tool whose name is a keyword', 'executor/tool-invalid', { tools: { for: { call: () => 1 } } }],
    [
      'a tool whose name is code',
      'executor/tool-invalid',
      { tools: { 'f(): pass\nimport js #': { call: () => 1 } } },
    ],
    [
      'a parameter that is code',
      'executor/tool-invalid',
      { tools: { f: { parameters: ['a=print(1)'], call: () => 1 } } },
    ],
    [
      'a parameter twice',
      'executor/tool-invalid',
      { tools: { f: { parameters: ['a', 'a'], call: () => 1 } } },
    ],
    [
      'a default before none',
      'executor/tool-invalid',
      { tools: { f: { parameters: [{ name: 'a', default: 1 }, 'b'], call: () => 1 } } },
    ],
    ['an output that is code', 'executor/tool-invalid', { outputFields: [{ name: 'a, *b' }] }],
    ['an output twice', 'executor/option-invalid', { outputFields: [{ name: 'a' }, { name: 'a' }] }],
    ['a network without a fetch', 'executor/option-invalid', { enableNetworkAccess: ['https://a.example'] }],
    [
      'an origin that is none',
      'executor/policy-invalid',
      { enableNetworkAccess: ['a.example'], fetch: (url) => fetch(url) },
    ],
  ])('%s is refused', async (_name, code, options) => {
    await using python = open(options);
    expect(await codeOf(python.execute('1'))).toBe(code);
  });
});

test('a call beyond its time ends, and the interpreter goes on with its tools and files', async () => {
  await using stuck = createPythonExecutor({
    assets: { baseUrl: '/sandbox/' },
    frame: 'srcdoc',
    limits: { wallTimeMs: 1500 },
  });
  const { files, contents } = openFolder({ f: '1' });
  await using python = createPythonInterpreter({
    executor: stuck,
    files,
    enableWritePaths: ['f'],
    tools: { echo: { parameters: ['x'], call: ({ x }) => x } },
  });
  const swallow = 'while True:\n  try:\n    while True: pass\n  except BaseException: pass';
  await expect(python.execute(swallow)).rejects.toMatchObject({
    code: 'executor/python-stopped',
    fields: { limit: 'time', isStateLost: true },
  });
  expect((await python.execute('open("f", "a").write("2")\necho(open("f").read())')).output).toBe('12');
  expect(contents).toEqual({ f: '12' });
  // without syncing, what the code wrote is the only copy
  await using alone = createPythonInterpreter({
    executor: stuck,
    files,
    enableWritePaths: ['f'],
    syncFiles: false,
  });
  await alone.execute('open("f", "w").write("mine"); x = 1; gen = (n for n in [1])');
  const lost = [{ name: 'gen', reason: expect.any(String) as string }];
  await expect(alone.execute(swallow)).rejects.toMatchObject({
    fields: { isStateLost: false, restored: { names: ['x'], lost } },
  });
  expect(await alone.execute('open("f").read() + str(x)')).toMatchObject({
    output: 'mine1',
    restored: { names: ['x'], lost },
  });
  expect(contents).toEqual({ f: '12' });
  await python.shutdown();
  expect((await python.execute('echo("again")')).output).toBe('again');
});
