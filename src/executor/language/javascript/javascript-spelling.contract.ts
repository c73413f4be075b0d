/** The laws' programs in JavaScript. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { GuestValue } from '../../guest-value.ts';
import type { DisplaySpelling, FaultyModule, Spelling, ToolSpelling } from '../../laws/spelling.contract.ts';
import { hostile, stuck } from './javascript-hostile.contract.ts';

const attempt = (call: string): string =>
  `let r\ntry { ${call} } catch (e) { r = [e.name, e.message, e.code ?? null] }\nr`;

const rich =
  'class Rich {\n  [Symbol.for("Jupyter.display")]() { return { "text/html": "<b>é</b>", "text/plain": "plain" } }\n}\n';

const tools: ToolSpelling = {
  passing: [
    'await echo(1, [true, null, "é"], new Uint8Array([97, 98]), 2n ** 70n)',
    [[1, [true, null, 'é'], new Uint8Array([97, 98]), 2n ** 70n], {}],
  ],
  additions: [
    'await add(1, 2)',
    'await add({ right: 2, left: 1 })',
    'add.sync(1, 2)',
    'add.sync({ left: 1, right: 2 })',
  ],
  misfits: ['await add(1, 2, 3)', 'await add({ left: 1, up: 2 })', 'add.sync(1, 2, 3)'],
  ask: (call) => call,
  call: (name, given = '') => `await ${name}(${given})`,
  attempt,
  large: ['"x".repeat(3000)', 'new Uint8Array(3000)', 'new Array(3000).fill(0)', '"é".repeat(3000)'],
  uncrossable: [
    ['() => 1', 'TypeError'],
    ['Symbol()', 'TypeError'],
    ['(() => { const x = []; x.push(x); return x })()', 'TypeError'],
    ['new Date(NaN)', 'TypeError'],
    ['new WeakMap()', 'TypeError'],
  ],
  together: 'await Promise.all([both("a"), both("b")])',
  endless: 'while (true) try { await add(1, 1) } catch {}',
  never: [
    'console.log("a")\nawait never()',
    'console.log("a")\nnever.sync()',
    'console.log("a")\ntry { never.sync() } finally { for (;;); }',
  ],
  keep: 'const keep = add\nawait add(1, 1)',
  callKept: 'await keep(1, 1)',
  unknown: 'ReferenceError',
  forge: { lacks: 'a call cannot be given another name' },
  polluting: { lacks: 'values have names only where the tool has them' },
  denied: { code: 'console.log(1)\nx = await echo(1)', column: 11 },
  hidden: { code: 'console.log(1)\ntry {\n  await globalThis["ec" + "ho"](1)\n} catch {}', line: 3 },
  badNames: ['class', 'SUBMIT', '__proto__', 'await'],
};

const displays: DisplaySpelling = {
  inOrder: `${rich}console.log("a")\ndisplay(new Rich())\nconsole.log("b")`,
  plain: 'plain',
  last: [`${rich}new Rich()`, {}],
  unseen: '[1]',
  bundles:
    'await display({ async toMimeBundle() { return { "image/png": new Uint8Array([137, 80, 78, 71]), "application/x-evil": "x", "application/json": { a: [1] } } } })\n' +
    'display({ "text/plain": "t", "application/x-evil": "p" })',
  table: 'display([{ a: 1, b: "<x>" }, { a: 2n - 0n === 2n ? 2 : 0 }])',
  floods: [
    ['one value too many', 'for (let n = 0; n < 10; n++) display(n)', 5, 'displays'],
    ['one that is too large', 'display("x".repeat(20_000))', 0, 'displayBytes'],
    ['one that is far too large', 'display("x".repeat(20_000_000))', 0, 'displayBytes'],
    ['a table that is too large', 'display(new Array(5000).fill({ a: "xxxxxxxxxx" }))', 0, 'displayBytes'],
    ['too much together', 'for (let n = 0; n < 4; n++) display("x".repeat(4000))', 2, 'displayBytes'],
    ['whoever catches it', 'while (true) try { display(1) } catch {}', 5, 'displays'],
  ],
  one: 'display(1)\n2',
  mock: 'display(new Proxy({}, { get: () => () => { throw new Error("mock") } }))\n3',
};

const faulty = {
  'lib/bad.js': 'export const é = "é";\n let y = = 1',
  'lib/asks.js': 'import { é } from "./bad.js"\nexport { é }',
  'lib/throws.js': 'export const a = 1;\nthrow new TypeError("k")',
  'lib/parses.js': 'export const a = 1;\nJSON.parse("{")',
  'lib/late.js': 'export function f() {\n  throw new TypeError("k") }',
  'first.json': '{ a b }',
  'second.json': '{ "a": 1,\n  "b": }',
};
const bad = { file: 'lib/bad.js', line: 2, column: 10, message: 'Unexpected token' };
const faultyModules: readonly FaultyModule[] = (
  [
    ['import { é } from "./lib/bad"\né', 'syntax-error', bad],
    ['\n\nimport { é } from "./lib/asks.js"\né', 'syntax-error', bad],
    ['import data from "./first.json"\ndata', 'syntax-error', { file: 'first.json', line: 1, column: 5 }],
    ['import data from "./second.json"\ndata', 'syntax-error', { file: 'second.json', line: 2, column: 8 }],
    ['\n\nawait import("./lib/bad.js")', 'threw', { type: 'SyntaxError', file: 'lib/bad.js', line: 2 }],
    ['import "./lib/throws.js"', 'threw', { type: 'TypeError', file: 'lib/throws.js', line: 2 }],
    // it could be compiled: what it throws is no fault of its syntax
    ['import "./lib/parses.js"', 'threw', { type: 'SyntaxError', file: 'lib/parses.js', line: 2 }],
    [
      'import { f } from "./lib/late.js"\n\n\nf()',
      'threw',
      {
        file: 'lib/late.js',
        line: 2,
        traceback: expect.stringMatching(
          /at f \(lib\/late\.js:2:\d+\)\n {4}at <eval> \(<run-\d+>:4:\d+\)$/u,
        ) as string,
      },
    ],
  ] as const
).map(([code, type, fault]) => ({ context: { imports: faulty }, code, type, fault }));

export const javascriptSpelling: Spelling = {
  language: 'javascript',
  number: (value) => String(value),
  say: (text) => `console.log(${JSON.stringify(text)})`,
  loop: 'while (true);',
  stuck,
  longSum: 'let sum = 0\nfor (let i = 0; i < 100000; i++) sum += i\nsum',

  variable: 'x',
  values: {
    read: (name) => name,
    set: (name, value) => `${name} = ${value}`,
    has: (name) => `typeof ${name} !== 'undefined'`,
    kinds: [
      fc.double(),
      fc.bigInt(),
      fc.int8Array(),
      fc.uint16Array(),
      fc.float32Array(),
      fc.array(fc.oneof(fc.integer(), fc.string())).map((items): GuestValue => new Set(items)),
      fc.array(fc.tuple(fc.string(), fc.integer())).map((items): GuestValue => new Map(items)),
    ],
    expressions: [
      ['typeof true', 'boolean'],
      ['[1, , undefined]', [1, null, null]],
      ['({ a: undefined, b: 1 })', { b: 1 }],
      ['{ "a": { b: [1] } }', { a: { b: [1] } }],
      ['{}', {}],
      ['new Set([3, 3])', new Set([3])],
      ['new Map([["a", 1]])', new Map([['a', 1]])],
      ['2n ** 70n', 2n ** 70n],
      ['-5n', -5n],
      ['2 ** 70', 2 ** 70],
      ['-0', -0],
      ['0 / 0', NaN],
      ['new Uint8Array([0, 255])', new Uint8Array([0, 255])],
      ['new Uint8Array([1, 2, 3, 4]).subarray(1, 3)', new Uint8Array([2, 3])],
      ['new Uint8Array([7]).buffer', new Uint8Array([7])],
      ['new Float32Array([1.5])', new Float32Array([1.5])],
      ['new Date("2026-11-22")', new Date('2026-11-22')],
      ['new TypeError("t")', { name: 'TypeError', message: 't' }],
      ['Promise.resolve(7)', 7],
      ['"a\\0b\\ud800"', 'a\0b\ud800'],
      ['`a\n\u2028é😀`', 'a\n\u2028é😀'],
      ['0', 0],
      ['""', ''],
      ['false', false],
      ['null', null],
      ['undefined', null],
      ['const x = 1', null],
      ['1; const y = 2', null],
      ['if (true) { 5 }', null],
      ['', null],
      ['// only a comment', null],
      ['const z = 1; const zz = z + 1; zz', 2],
      ['const z = 3; class C { static c = z }\nC.c', 3],
    ],
    arrival: {
      variables: {
        a: 1,
        b: 1.5,
        c: 2n ** 65n,
        d: new Uint8Array([1]),
        e: new Date(1000),
        f: new Float64Array([1, 2]),
        g: new Map<GuestValue, GuestValue>([[1, 'one']]),
        h: -0,
        i: new Set([1]),
        j: { k: [null, 'x'.repeat(20_000)] },
        ſ: 'long s',
      },
      asked: [
        '[[a, b, c, d, e, f, g, h, i, j].map((x) => x.constructor.name), g.get(1), e.toISOString(), ſ, Object.is(h, -0), j.k[1].length]',
        [
          [
            'Number',
            'Number',
            'BigInt',
            'Uint8Array',
            'Date',
            'Float64Array',
            'Map',
            'Number',
            'Set',
            'Object',
          ],
          'one',
          '1970-01-01T00:00:01.000Z',
          'long s',
          true,
          20_000,
        ],
      ],
    },
    polluting:
      'JSON.parse(\'{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}\')',
    missing: 'ReferenceError',
    badNames: ['class', '__proto__', 'SUBMIT', 'globalThis'],
  },

  bothStreams: 'console.log("out")\nconsole.error("err")\n0',
  byCharacter: 'for (let i = 0; i < 10_000; i++) {\n  console.log("a")\n  console.error("b")\n}',
  submit: {
    named:
      'console.log("a")\ntry { SUBMIT({ answer: [1, null], note: "n" }) } catch {} finally { console.log("f") }\nconsole.log("b")',
    single: 'SUBMIT(0)',
  },
  failing: {
    code: 'function f() {\n  throw new TypeError("k")\n}\nf()',
    type: 'TypeError',
    message: 'k',
    traceback: [/^TypeError: k\n {4}at f \(<run-\d+>:2:\d+\)\n {4}at <eval> \(<run-\d+>:4:\d+\)$/u],
    hidden: /harness|guest\.invalid/u,
  },
  exceptions: [
    ['throw 5', 'number', '5'],
    ['throw null', 'null', 'null'],
    ['throw { a: 1 }', 'object', '{ a: 1 }'],
    ['class Mine extends Error {}\nthrow new Mine("m")', 'Mine', 'm'],
    ['await Promise.reject(new RangeError("r"))', 'RangeError', 'r'],
    ['nowhere', 'ReferenceError', 'nowhere is not defined'],
    ['import "missing"', 'ReferenceError', "cannot find module 'missing'"],
    ['await import("missing")', 'ReferenceError', "cannot find module 'missing'"],
    ['eval("x = = 1")', 'SyntaxError', "unexpected token in expression: '='"],
    ['fetch("https://example.com")', 'ReferenceError', 'fetch is not defined'],
  ],
  syntaxError: { code: 'console.log("ran")\nx = = 1', column: 5, message: 'Unexpected token' },
  denied: ['import js from "js"', 'import { a } from "pyodide/ffi"', 'if (0) await import("js")'],
  readFiles:
    'import { readFileSync } from "node:fs"\n;[readFileSync("data/a.csv", "utf8"), readFileSync("/sandbox/b.bin")]',
  imports: {
    imports: {
      'lib/math.js':
        'import { one } from "./one";\nexport const two = one + one;\nexport default (x) => x * two;',
      'lib/one.js': 'export const one = 1;',
      'data.json': '{ "a": [1] }',
      tools: 'export function name() { return "tools" }',
    },
    asked: [
      'import twice, { two as zwei } from "./lib/math.js"\nimport data from "./data.json"\nimport * as tools from "tools"\n' +
        ';[twice(4), zwei, data.a, tools.name(), (await import("lib/one")).one]',
      [8, 2, [1], 'tools', 1],
    ],
  },
  faultyModules,
  awaiting: [
    ['await new Promise((done) => setTimeout(done, 10, "slept"))', 'slept'],
    ['async function f() { return 7 }\nconst x = await f()\nx + 1', 8],
    ['const later = (async () => { await null; return 5 })()\nlater', 5],
  ],

  tools,
  environment:
    'import { env } from "node:process"\n;[env.NAME, process.env.HOME, "toString" in env || process.env !== env ? 1 : null]',
  workingDirectory:
    'import fs from "node:fs"\nimport { cwd } from "node:process"\n;[cwd(), fs.readFileSync("x", "utf8")]',
  displays,
  namesEval: { code: 'console.log(1)\n"é"; const x = eval("2")', column: 16 },
  deniedParts: { lacks: 'an import names a module, and not what it has' },

  submitFields: { lacks: 'SUBMIT takes whatever comes' },
  packages: { lacks: 'modules come as imports' },

  traces: {
    leave:
      'import fs from "fs"\nglobalThis.leak = 1\nJSON.stringify = null\nvar x = 1\nlet y = 2\nArray.prototype.own = 1\nfs.writeFileSync("f", "1")\nsetInterval(() => console.log("late"), 1)',
    seen: [
      'import fs from "fs"\n;[typeof leak, typeof x, typeof y, JSON.stringify(1), [].own === undefined, fs.readdirSync("/sandbox")]',
      ['undefined', 'undefined', 'undefined', '1', true, []],
    ],
  },
  keeping: {
    first:
      'import fs from "fs"\nconst x = [1]\nfunction f() { return x }\nclass C { get x() { return x } }\nfs.writeFileSync("f", "kept")',
    failing: 'x.push(2)\nthrow new Error("no")',
    asked: [
      'const again = f()\nclass C {}\n;[again, new C().x === undefined, fs.readFileSync("f", "utf8")]',
      [[1, 2], true, 'kept'],
    ],
  },
  restoring: {
    leave: `import fs from "fs"
const x = [1, [2]]
const y = x[1]
const seen = ((n) => () => n + x.length)(5)
class Point { #a; constructor(a) { this.#a = a } get a() { return this.#a } }
const point = new Point(3)
const waiting = new Promise(() => {})
fs.writeFileSync("kept.txt", "text")
process.env.KEPT = "1"`,
    asked: [
      '[x, y === x[1], seen(), point.a, point instanceof Point, waiting instanceof Promise, fs.readFileSync("kept.txt", "utf8"), process.env.KEPT]',
      [[1, [2]], true, 7, 3, true, true, 'text', '1'],
    ],
    lost: [],
  },
  inOrder: ['x = ["a"]\nawait new Promise((done) => setTimeout(done, 100))', 'x.push("b")', 'x.push("c")\nx'],

  hostile,
  deletedFiles:
    'import fs from "fs"\nfor (let i = 0; i < 10; i++) {\n  fs.writeFileSync("f", new Uint8Array(20_000_000))\n  fs.unlinkSync("f")\n}\n"ok"',
  flood: 'for (let i = 0; i < 10_000_000; i++) console.log(1)',
};
