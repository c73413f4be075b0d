/** The laws' programs in Python. */
import { expect } from 'vitest';
import type { GuestValue } from '../../guest-value.ts';
import {
  hostileMs as timeoutMs,
  isDeath,
  isFlood,
  isMemory,
  isRefused,
  isStackSpent,
  isSyntaxErrorOrSpent,
  isThrown,
  isTimeout,
  isTimeoutThatKills,
  isTooLarge,
} from '../../laws/ending.contract.ts';
import type {
  DisplaySpelling,
  FaultyModule,
  Hostile,
  Spelling,
  ToolSpelling,
} from '../../laws/spelling.contract.ts';

const swallow = 'while True:\n  try:\n    while True: pass\n  except BaseException: pass';

const hostile: readonly Hostile[] = [
  { name: 'an endless loop', code: 'while True: pass', check: isTimeout, timeoutMs },
  { name: 'an endless loop that swallows everything', code: swallow, check: isTimeoutThatKills, timeoutMs },
  { name: 'sleep', code: 'import time\ntime.sleep(100)', check: isTimeout, timeoutMs },
  { name: 'a C loop', code: 'sum(range(10**12))', check: isTimeout, timeoutMs },
  {
    name: 'an await that never ends',
    code: 'import asyncio\nawait asyncio.get_running_loop().create_future()',
    check: isTimeout,
    timeoutMs,
  },
  { name: '300 MB', code: 'x = bytearray(300 * 2**20)', check: isMemory },
  { name: 'lists that never end', code: 'x = []\nwhile True: x.append([0] * 100000)', check: isMemory },
  { name: 'one print of 100 MB', code: 'print("x" * 100_000_000)', check: isFlood },
  {
    name: 'a million prints of 100 bytes',
    code: 'for _ in range(1_000_000): print("y" * 99)',
    check: isFlood,
  },
  {
    name: 'prints that swallow the refusal',
    code: 'while True:\n  try:\n    print("z" * 1000)\n  except BaseException: pass',
    check: isFlood,
    timeoutMs: 5000,
  },
  {
    name: 'a flood below the streams',
    code: 'import os\nwhile True: os.write(1, b"w" * 10000)',
    check: isFlood,
  },
  {
    name: 'text past the harness',
    code: 'import sys\nsys._getframe(1).f_globals["emit"](0, "v" * 20_000_000)\nwhile True: pass',
    check: isFlood,
  },
  {
    name: 'bytes past the harness',
    code: 'import sys\nkeep = sys._getframe(1).f_globals["keep"]\nfor _ in range(100): keep(b"u" * 10_000_000)',
    check: isTooLarge,
  },
  { name: 'C stack overflow', code: 'import json\njson.loads("[" * 100000)', check: isStackSpent },
  { name: 'os._exit', code: 'import os\nos._exit(3)', check: isDeath },
  { name: 'os.abort', code: 'import os\nos.abort()', check: isDeath },
  {
    name: 'deep recursion',
    code: 'def f(n): return f(n + 1)\nf(0)',
    check: isThrown({ type: 'RecursionError', line: 1 }),
  },
  {
    name: 'arguments that are not JSON',
    code: 'raise ValueError(object(), {1}, b"x", lambda: 1)',
    check: isThrown({ type: 'ValueError', line: 1 }),
  },
  {
    name: 'an exception whose text raises',
    code: 'class E(Exception):\n  def __str__(self): raise SystemExit\nraise E()',
    check: isThrown({ type: 'E' }),
  },
  { name: 'a null byte', code: 'x = 1\ny = "\0"', check: isRefused({ line: 2, column: 6 }) },
  { name: 'half of a surrogate pair', code: 'x = 1\n"\ud800"', check: isRefused({ line: 2, column: 2 }) },
  {
    name: 'a million nested parentheses',
    code: '('.repeat(500_000) + ')'.repeat(500_000),
    check: isSyntaxErrorOrSpent,
  },
  {
    name: 'a function as the value',
    code: 'lambda: 1',
    check: isThrown({
      type: 'TypeError',
      message: 'the value: a value of type function cannot leave the sandbox',
    }),
  },
  { name: 'a cycle as the value', code: 'a = []\na.append(a)\na', check: isThrown({ type: 'TypeError' }) },
  { name: 'a value of 40 MB', code: '"x" * 40_000_000', check: isTooLarge },
  {
    name: 'files of 100 MB',
    code: 'f = open("big", "wb")\nfor _ in range(100): f.write(b"x" * 2**20)',
    check: isThrown({ type: 'OSError', message: '[Errno 51] No space left on device' }),
  },
  {
    name: 'files written whole',
    code: 'for n in range(5): open(f"{n}", "wb").write(bytes(20 * 2**20))',
    check: isThrown({ type: 'OSError' }),
  },
  {
    name: 'a file stretched to a gigabyte',
    code: 'open("big", "wb").truncate(2**30)',
    check: isThrown({ type: 'OSError' }),
  },
];

/** `given` are the call's values as they are written. */
const attempt = (call: string): string =>
  `try:\n  ${call}\nexcept Exception as e:\n  r = [type(e).__name__, str(e), getattr(e, "code", None)]\nr`;

const rich =
  'class Rich:\n  def _repr_html_(self): return "<b>é</b>"\n  def __repr__(self): return "plain"\n';

const tools: ToolSpelling = {
  passing: [
    'echo(1, [True, None, "é"], b"ab", at=2**70)',
    [[1, [true, null, 'é'], new Uint8Array([97, 98])], { at: 2n ** 70n }],
  ],
  additions: ['add(1, 2)', 'add(1, right=2)', 'await add(1, 2)', 'await add.start(left=1, right=2)'],
  misfits: ['add(1, 2, 3)', 'add(1, up=2)', 'add(1, left=2)'],
  ask: (call) => call,
  call: (name, given = '') => `${name}(${given})`,
  attempt,
  large: ['"x" * 3000', 'b"x" * 3000', '[0] * 3000'],
  uncrossable: [
    ['lambda: 1', 'TypeError'],
    ['object()', 'TypeError'],
    ['(lambda x: x.append(x) or x)([])', 'TypeError'],
  ],
  together: 'import asyncio\nawait asyncio.gather(both.start("a"), both.start("b"))',
  endless: 'while True:\n  try:\n    add(1, 1)\n  except BaseException: pass',
  never: ['print("a")\nnever()', 'print("a")\nawait never()', 'print("a")\nawait never.start()'],
  keep: 'keep = add\nadd(1, 1)',
  callKept: 'keep(1, 1)',
  unknown: 'NameError',
  forge: (name) =>
    `t = type(echo)(${JSON.stringify(name)})\ntry:\n  t()\nexcept Exception as e:\n  r = e.code\nr`,
  polluting: [
    'echo(**{"__proto__": 1, "constructor": 2})',
    [
      [],
      Object.fromEntries([
        ['__proto__', 1],
        ['constructor', 2],
      ]),
    ],
  ],
  denied: { code: 'print(1)\nx = echo(1)', column: 5 },
  hidden: { code: 'print(1)\ntry:\n  globals()["ec" + "ho"](1)\nexcept BaseException: pass', line: 3 },
  badNames: ['lambda', '__name__', 'SUBMIT'],
};

const displays: DisplaySpelling = {
  inOrder: `${rich}print("a")\ndisplay(Rich())\nprint("b")`,
  plain: 'plain',
  last: [`${rich}Rich()`, 'plain'],
  unseen: '[1]',
  bundles: `class Picture:
  def _repr_mimebundle_(self, include=None, exclude=None):
    return {"image/png": b"\\x89PNG", "application/x-evil": "x", "application/json": {"a": [1]}}
display(Picture())
display({"text/plain": "t", "__proto__": "p"}, raw=True)`,
  table: 'display([{"a": 1, "b": "<x>"}, {"a": 2}])',
  floods: [
    ['one value too many', 'for n in range(10): display(n)', 5, 'displays'],
    ['one that is too large', 'display("x" * 20_000)', 0, 'displayBytes'],
    ['a table that is too large', 'display([{"a": "x" * 10}] * 500)', 0, 'displayBytes'],
    ['too much together', 'for n in range(4): display("x" * 4000)', 2, 'displayBytes'],
    ['whoever catches it', 'while True:\n  try: display(1)\n  except BaseException: pass', 5, 'displays'],
  ],
  one: 'display(1)\n2',
  mock: 'class M:\n  def __getattr__(self, name): return lambda *a: 1 / 0\ndisplay(M())\n3',
};

const faulty = {
  'bad.py': 'a = "é"\ny = = 1',
  'lib/__init__.py': 'a = 1\n1 / 0',
  'late.py': 'def f():\n  raise KeyError("k")',
};
const faultyModules: readonly FaultyModule[] = (
  [
    ['\n\nimport bad', { type: 'SyntaxError', file: 'bad.py', line: 2 }],
    ['\n\nimport lib', { type: 'ZeroDivisionError', file: 'lib/__init__.py', line: 2 }],
    [
      'from late import f\n\n\nf()',
      {
        file: 'late.py',
        line: 2,
        traceback: expect.stringMatching(/"<run-\d+>", line 4.*"\/sandbox\/late\.py", line 2/su) as string,
      },
    ],
  ] as const
).map(([code, fault]) => ({ context: { files: faulty }, code, type: 'threw', fault }));

export const pythonSpelling: Spelling = {
  language: 'python',
  number: (value) => String(value),
  say: (text) => `print(${JSON.stringify(text)})`,
  loop: 'while True: pass',
  stuck: swallow,
  longSum: 'sum(range(100000))',

  variable: 'x',
  values: {
    read: (name) => name,
    set: (name, value) => `${name} = ${value}`,
    has: (name) => `"${name}" in globals()`,
    kinds: [],
    expressions: [
      ['type(True).__name__', 'bool'],
      ['(1, 2)', [1, 2]],
      ['{3, 3}', [3]],
      ['2**70', 2n ** 70n],
      ['-2**53 + 1', -(2 ** 53) + 1],
      ['-(2**53)', -(2n ** 53n)],
      ['b"\\x00\\xff"', new Uint8Array([0, 255])],
      ['import array\narray.array("f", [1.5])', new Float32Array([1.5])],
      ['import datetime\ndatetime.date(2026, 11, 22)', new Date('2026-11-22')],
      ['0', 0],
      ['""', ''],
      ['False', false],
      ['None', null],
      ['x = 1', null],
      ['', null],
      ['# only a comment', null],
    ],
    arrival: {
      variables: {
        a: 1,
        b: 1.5,
        c: 2n ** 65n,
        d: new Uint8Array([1]),
        e: new Date(1000),
        f: new Float64Array([1, 2]),
        g: new Map<GuestValue, GuestValue>([
          [1, 'one'],
          [[1, 2], 'pair'],
        ]),
        h: -0,
        i: new Set([1, 'two']),
        ſ: 'long s',
      },
      asked: [
        '[type(x).__name__ for x in (a, b, c, d, e, f, g, h, i)], g[(1, 2)], e.isoformat(), s, i == {1, "two"}',
        [
          ['int', 'float', 'int', 'bytes', 'datetime', 'array', 'dict', 'float', 'set'],
          'pair',
          '1970-01-01T00:00:01+00:00',
          'long s',
          true,
        ],
      ],
    },
    polluting: '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
    missing: 'NameError',
    badNames: ['lambda', '__name__', 'SUBMIT'],
  },

  bothStreams: 'import sys\nprint("out")\nprint("err", file=sys.stderr)\n0',
  byCharacter: 'import os\nfor _ in range(10_000):\n  print(end="a", flush=True)\n  os.write(2, b"b")',
  submit: {
    named: 'print("a")\ntry:\n  SUBMIT(answer=[1, None], note="n")\nexcept Exception: pass\nprint("b")',
    single: 'SUBMIT(0)',
  },
  failing: {
    code: 'def f():\n  raise KeyError("k")\n\nf()',
    type: 'KeyError',
    message: "'k'",
    traceback: [
      /^Traceback \(most recent call last\):\n {2}File "<run-\d+>", line 4, in <module>/u,
      /raise KeyError\("k"\)/u,
    ],
    hidden: /harness/u,
  },
  exceptions: [
    ['raise SystemExit(3)', 'SystemExit', '3'],
    ['import sys\nsys.exit()', 'SystemExit', ''],
    ['raise KeyboardInterrupt', 'KeyboardInterrupt', ''],
    ['assert False, "no"', 'AssertionError', 'no'],
    ['input()', 'EOFError', 'EOF when reading a line'],
  ],
  syntaxError: { code: 'print("ran")\nx = = 1', column: 5, message: 'invalid syntax' },
  denied: ['import js', 'import ctypes.util', 'from pyodide.ffi import to_js', 'if 0:\n  import os, js'],
  readFiles: 'open("data/a.csv").read(), open("/sandbox/b.bin", "rb").read()',
  imports: {
    imports: {
      'lib/math.py': 'from . import one\nfrom lib.one import one as same\ntwo = one.one + same',
      'lib.one': 'one = 1',
      lib: 'name = "lib"',
      'deep/er/__init__.py': 'import csv\nfrom .leaf import leaf',
      'deep.er.leaf': 'leaf = "é"',
      // one that the interpreter may have loaded by itself
      statistics: 'mean = 5',
    },
    asked: [
      'import lib.math, statistics, deep.er\nlib.math.two, lib.name, deep.er.leaf, statistics.mean',
      [2, 'lib', 'é', 5],
    ],
  },
  faultyModules,
  awaiting: [
    ['import asyncio\nawait asyncio.sleep(0.01, "slept")', 'slept'],
    ['async def f(): return 7\nx = await f()\nx + 1', 8],
  ],

  tools,
  environment: 'import os\n[os.environ.get("NAME"), os.environ["HOME"], os.environ.get("toString")]',
  workingDirectory: 'import os\n[os.getcwd(), open("x").read()]',
  displays,
  namesEval: { code: 'print(1)\n"é😀"; x = eval("2")', column: 11 },
  deniedParts: {
    denied: ['os.path', 'os.system'],
    codes: [
      ['print(1)\n"é"; import os.path', 'os.path', 6],
      ['print(1)\n"é"; from os import getcwd, path', 'os.path', 6],
      ['print(1)\n"é"; from os import system as run', 'os.system', 6],
      ['from os import getcwd\n"é"; from os.path import join', 'os.path', 6],
      ['import os as o\n"é"; o.path.join("a")', 'os.path', 6],
      ['import os\n"é"; os.getcwd(); os.system("x")', 'os.system', 19],
    ],
  },

  submitFields: {
    testedIn: 'python/interpreter/python-interpreter.browser.test.ts › SUBMIT takes the declared fields',
  },
  packages: {
    testedIn: 'python/python-packages.browser.test.ts › a wheel that is handed over can be imported',
  },

  traces: {
    leave: 'import builtins, json\nbuiltins.leak = 1\njson.dumps = None\nx = 1\nopen("f", "w").write("1")',
    seen: [
      'import os, json\n["leak" in dir(__builtins__), "x" in globals(), json.dumps(1), os.listdir()]',
      [false, false, '1', []],
    ],
  },
  keeping: {
    first: 'import math\nx = [1]\ndef f(): return x\nopen("f", "w").write("kept")',
    failing: 'x.append(2)\nraise ValueError',
    asked: ['f(), math.pi > 3, open("f").read()', [[1, 2], true, 'kept']],
  },
  restoring: {
    leave: `import json, os
x = [1, [2]]
y = x[1]
def twice(n): return 2 * n + len(x)
open("/sandbox/kept.txt", "w").write("text")
os.environ["KEPT"] = "1"
waiting = (n for n in x)
file = open("/sandbox/kept.txt")`,
    asked: [
      '[x, y is x[1], json.dumps(twice(1)), open("/sandbox/kept.txt").read(), os.environ["KEPT"], "waiting" in globals()]',
      [[1, [2]], true, '4', 'text', '1', false],
    ],
    lost: ['file', 'waiting'],
  },
  inOrder: ['import time\nx = ["a"]\ntime.sleep(0.1)', 'x.append("b")', 'x.append("c")\nx'],

  hostile,
  deletedFiles:
    'import os\nfor _ in range(10):\n  open("f", "wb").write(b"x" * 20_000_000)\n  os.remove("f")\n"ok"',
  flood: 'for _ in range(10_000_000): print(1)',
};
