/** Programs in JavaScript that misbehave, each in its own way. */
import {
  hostileMs as timeoutMs,
  isFlood,
  isMemory,
  isMemoryOrThrown,
  isRefused,
  isReturnedOrThrown,
  isSyntaxErrorOrFailed,
  isThrown,
  isTimeout,
  isTimeoutThatKills,
  isTooLarge,
} from '../../laws/ending.contract.ts';
import type { Hostile } from '../../laws/spelling.contract.ts';

/** One call of the interpreter's own, which looks at nothing meanwhile. */
export const stuck: string = '("a".repeat(2e7)).indexOf("a".repeat(1e7) + "b")';

export const hostile: readonly Hostile[] = [
  { name: 'an endless loop', code: 'while (true);', check: isTimeout, timeoutMs },
  {
    name: 'an endless loop that swallows everything',
    code: 'while (true) try { while (true); } catch {} finally { continue }',
    check: isTimeout,
    timeoutMs,
  },
  { name: 'one long call', code: stuck, check: isTimeoutThatKills, timeoutMs },
  { name: 'an await that never ends', code: 'await new Promise(() => {})', check: isTimeout, timeoutMs },
  {
    name: 'promises that never end',
    code: 'async function f() { for (;;) await null }\nawait f()',
    check: isTimeout,
    timeoutMs,
  },
  {
    name: 'promises that nobody awaits and that never end',
    code: 'const again = () => Promise.resolve().then(again)\nagain()\n1',
    check: isTimeout,
    timeoutMs,
  },
  {
    name: 'timers that never end',
    code: 'await new Promise(() => setInterval(() => {}, 0))',
    check: isTimeout,
    timeoutMs,
  },
  {
    name: 'a catastrophic pattern',
    code: '/(a+)+$/.test("a".repeat(40) + "b")',
    check: isTimeout,
    timeoutMs,
  },
  { name: '300 MB', code: 'x = new Uint8Array(300 * 2**20)', check: isMemoryOrThrown },
  {
    name: 'lists that never end',
    code: 'x = []\nwhile (true) x.push(new Array(100000).fill(0))',
    check: isMemory,
  },
  { name: 'objects that never end', code: 'x = []\nwhile (true) x.push({ a: [x.length] })', check: isMemory },
  {
    name: 'a text that never ends',
    code: 'x = "x"\nwhile (true) x += x + Math.random()',
    check: isMemoryOrThrown,
  },
  { name: 'one print of 100 MB', code: 'console.log("x".repeat(50_000_000))', check: isFlood },
  {
    name: 'a million prints of 100 bytes',
    code: 'for (let i = 0; i < 1_000_000; i++) console.log("y".repeat(99))',
    check: isFlood,
  },
  {
    name: 'prints that swallow the refusal',
    code: 'while (true) try { console.log("z".repeat(1000)) } catch {}',
    check: isFlood,
    timeoutMs: 5000,
  },
  {
    name: 'bytes without end in the value',
    code: 'Array.from({ length: 100 }, () => new Uint8Array(1_000_000))',
    check: isTooLarge,
  },
  { name: 'a value of 40 MB', code: '"x".repeat(40_000_000)', check: isTooLarge },
  {
    name: 'deep recursion',
    code: 'function f(n) { return f(n + 1) }\nf(0)',
    check: isThrown({ type: 'RangeError', line: 1 }),
  },
  { name: 'deep JSON', code: 'JSON.parse("[".repeat(100000))', check: isThrown({}) },
  { name: 'deep code in eval', code: 'eval("(".repeat(100000))', check: isThrown({}) },
  {
    name: 'a deep pattern',
    code: 'new RegExp("(".repeat(100000) + ")".repeat(100000))',
    check: isThrown({}),
  },
  {
    name: 'deep getters',
    code: 'x = {}\nObject.defineProperty(x, "a", { get() { return this.a } })\nx.a',
    check: isThrown({ type: 'RangeError' }),
  },
  {
    name: 'deep proxies',
    code: 'x = {}\nfor (let i = 0; i < 100000; i++) x = new Proxy(x, {})\nx.a',
    check: isThrown({ type: 'RangeError' }),
  },
  {
    name: 'a deep bind',
    code: 'f = () => 1\nfor (let i = 0; i < 100000; i++) f = f.bind()\nf()',
    check: isMemoryOrThrown,
  },
  {
    name: 'a sort that overflows',
    code: '[1, 2].sort(function f() { return [1, 2].sort(f) })',
    check: isThrown({ type: 'RangeError' }),
  },
  {
    name: 'an error whose text throws',
    code: 'throw { toString() { throw 1 }, get name() { throw 2 } }',
    check: isThrown({ type: 'object' }),
  },
  {
    name: 'an error that lies',
    code: 'class E extends Error { get message() { throw 1 } get stack() { while (true); } }\nthrow new E()',
    check: isThrown({ type: 'Error' }),
    timeoutMs: 5000,
  },
  { name: 'a null byte', code: 'x = 1\ny = "\0"', check: isRefused({ line: 2, column: 6 }) },
  { name: 'half of a surrogate pair', code: 'x = 1\n"\ud800"', check: isRefused({ line: 2, column: 2 }) },
  {
    name: 'a million nested parentheses',
    code: '('.repeat(500_000) + ')'.repeat(500_000),
    check: isSyntaxErrorOrFailed,
  },
  {
    name: 'a function as the value',
    code: '(() => 1)',
    check: isThrown({
      type: 'TypeError',
      message: 'the value: a value of type function cannot leave the sandbox',
    }),
  },
  { name: 'a cycle as the value', code: 'a = []\na.push(a)\na', check: isThrown({ type: 'TypeError' }) },
  {
    name: 'a harness with changed tools',
    code: 'JSON.stringify = JSON.parse = Object.keys = Array.prototype.map = () => { throw 1 }\n1',
    check: isReturnedOrThrown,
  },
  {
    name: 'files of 100 MB',
    code: 'import fs from "fs"\nfor (let i = 0; i < 100; i++) fs.writeFileSync("f" + i, "x".repeat(2**20))',
    check: isThrown({ message: "ENOSPC: no space left on device, write 'f32'" }),
  },
];
