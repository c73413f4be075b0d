import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openHarness } from './harness-test-scene.ts';
import type { HarnessScene } from './harness-test-scene.ts';

let harness: HarnessScene;
beforeAll(async () => {
  harness = await openHarness();
}, 60_000);
beforeEach(() => {
  harness.run('[globals().pop(name) for name in list(globals()) if not name.startswith("__")] and None');
});

const sizeBytes = 100_000;

test('what cannot be put aside is, as soon as what kept it from that is gone', () => {
  harness.run(
    'kept = (n for n in [])\ns = {"n": 1, "g": kept}\nlong = list(range(10**5))\ndeep = {"x": [*long]}',
  );
  expect(harness.save(sizeBytes)).toMatchObject({ names: [], lost: { s: /generator/u, long: /bytes/u } });
  harness.run('del s["g"], long[10:]\ndeep["x"].clear()');
  expect(harness.save(sizeBytes)).toEqual({
    names: ['s', 'long', 'deep'],
    lost: { kept: expect.stringContaining('generator') as string },
  });
});

test('what takes long to say that it cannot be put aside is asked ever more seldom', () => {
  harness.run(`
import time
asked = []
class Slow:
  def __reduce__(self):
    asked.append(1)
    time.sleep(0.05)
    if not asked[0]: return (dict, ())
    raise ValueError("not yet")
slow = Slow()
quick = (n for n in [])`);
  for (let round = 0; round < 15; round += 1) {
    expect(harness.save(sizeBytes)?.lost).toMatchObject({ slow: 'ValueError: not yet' });
    harness.run('1');
  }
  expect(harness.run('len(asked) < 10')).toMatchObject({ value: true });
  harness.run('asked[0] = 0');
  for (let round = 0; round < 16; round += 1) {
    harness.save(sizeBytes);
    harness.run('1');
  }
  expect(harness.save(sizeBytes)?.names).toContain('slow');
});

test('a session that took too long to put aside once is tried again, and at last not after every run', () => {
  harness.run(
    'asked = []\nclass Part:\n  def __reduce__(self): return asked.append(1) or (dict, ())\nx = [Part()]',
  );
  for (let round = 0; round < 20; round += 1) {
    expect(harness.save(sizeBytes, 0)).toBeUndefined();
    harness.run('1');
  }
  for (let round = 0; round < 16; round += 1) {
    harness.save(sizeBytes);
    harness.run('1');
  }
  expect(harness.save(sizeBytes)?.names).toContain('x');
});

test('an interrupt that falls into it costs one time', () => {
  harness.run(`
falls = [True]
class Part:
  def __reduce__(self):
    if falls[0]: raise KeyboardInterrupt
    return (dict, ())
part = Part()`);
  expect(harness.save(sizeBytes)).toBeUndefined();
  harness.run('falls[0] = False');
  expect(harness.save(sizeBytes)?.names).toContain('part');
});

test.each([
  ['"é😀"; import os.path', 'os.path'],
  ['"é😀"; from os import path', 'os.path'],
  ['"é😀"; from os import (getcwd,\r  path)', 'os.path'],
  ['"é😀"; from os import system as run', 'os.system'],
  ['x = "\u2028"\r"é😀"; from os.path import join', 'os.path'],
])('%j is denied where it stands', (code, name) => {
  expect(harness.run(code, { deniedModules: ['os.path', 'os.system'] })).toEqual({
    type: 'denied',
    permission: 'module',
    name,
    line: code.startsWith('x') ? 2 : 1,
    column: 7,
  });
  expect(harness.run('from os import getcwd\nimport os', { deniedModules: ['os.path'] })).toMatchObject({
    type: 'returned',
  });
});

test('a function of a module that an earlier run imported is denied by its full name', () => {
  harness.run('import os as o\nclass Local: system = 5');
  const rules = { deniedModules: ['os.system'] };
  expect(harness.run('o.getcwd(), o.system', rules)).toMatchObject({ type: 'denied', column: 13 });
  expect(harness.run('os = Local\nos.system', rules)).toMatchObject({ type: 'returned', value: 5 });
});

test('what is denied is found in the modules that come with a run, of which none is written then', () => {
  const rules = { deniedModules: ['os.system'], deniedGlobals: ['eval'], deniedTools: ['ask'] };
  const helper = (code: string) =>
    harness.run('import helper\nhelper.x', { ...rules, imports: [['helper', code]] });
  const denied = { type: 'denied', file: 'helper', line: 2 };
  expect(helper('import os\nx = os.system')).toEqual({
    ...denied,
    permission: 'module',
    name: 'os.system',
    column: 5,
  });
  expect(helper('\nx = eval("1")')).toMatchObject({ ...denied, permission: 'global', name: 'eval' });
  expect(harness.run('import helper')).toMatchObject({
    type: 'threw',
    error: { type: 'ModuleNotFoundError' },
  });
  // its own names, and what Python itself says of it
  expect(helper('ask = 5\nx = ask')).toMatchObject({ type: 'returned', value: 5 });
  expect(helper('eval(')).toMatchObject({ type: 'threw', error: { type: 'SyntaxError' } });
});

test('a module that is given anew is imported anew, and only then', () => {
  const asked = 'import part, part.inner\npart.seen, part.inner.seen, hasattr(part, "mark")';
  const imports = [
    ['part', 'seen = 1'],
    ['part.inner', 'seen = 2'],
  ] as const;
  expect(harness.run(asked, { imports })).toMatchObject({ value: [1, 2, false] });
  harness.run('part.mark = 1');
  expect(harness.run(asked, { imports })).toMatchObject({ value: [1, 2, true] });
  expect(harness.run(asked, { imports: [['part/__init__.py', 'seen = 3']] })).toMatchObject({
    value: [3, 2, false],
  });
});

test('a module becomes a package when it gets another one below it', () => {
  harness.run('import grown', { imports: [['grown', 'seen = 1']] });
  const imports = [['grown/leaf.py', 'seen = 2']] as const;
  expect(harness.run('import grown.leaf\ngrown.seen, grown.leaf.seen', { imports })).toMatchObject({
    value: [1, 2],
  });
});

test('no module can be given for one of the interpreter’s own', () => {
  expect(harness.run('1', { imports: [['sys', '']] })).toMatchObject({
    type: 'threw',
    error: { type: 'ImportError', message: expect.stringContaining('sys') as string },
  });
});

test('one expression alone is compiled without a tree, and differs in nothing else', () => {
  expect(harness.run('1 + 1')).toMatchObject({ type: 'returned', value: 2 });
  expect(harness.run('1 + 1;')).toMatchObject({ type: 'returned', value: 2 });
  expect(harness.run(' 1 + 1')).toMatchObject({ type: 'syntax-error', message: 'unexpected indent' });
  expect(harness.run('1 +')).toMatchObject({ type: 'syntax-error', message: 'invalid syntax', column: 4 });
  expect(harness.run('(n := 3) and [n]')).toMatchObject({ value: [3] });
  expect(harness.run('missing')).toMatchObject({ type: 'threw', error: { type: 'NameError', line: 1 } });
  expect(harness.run('eval("1")', { deniedGlobals: ['eval'] })).toMatchObject({
    type: 'denied',
    name: 'eval',
  });
  harness.run('import os as system_of');
  for (const code of ['system_of.system("x")', 'ſystem_of.ſystem("x")'])
    expect(harness.run(code, { deniedModules: ['os.system'] })).toMatchObject({ type: 'denied' });
  expect(harness.run('open', { deniedTools: ['open'], tools: ['open'] })).toMatchObject({ type: 'denied' });
  harness.printed();
  harness.run(String.raw`print("\d")`);
  expect(harness.printed().match(/SyntaxWarning/gu)).toHaveLength(1);
});

test('what a run has not changed need not be put aside again', () => {
  harness.run('x = 1\ns = "text"');
  expect(harness.isSame()).toBe(false);
  harness.save(sizeBytes);
  harness.run('print(x)');
  expect(harness.isSame()).toBe(true);
  for (const change of [
    'x = 2',
    'x = 1.0 * x',
    'del s',
    'y = None',
    'open("/sandbox/new", "w").write("1")',
    'open("/sandbox/new", "w").write("22")',
    'import os; os.environ["NEW"] = "1"; del os',
    '__import__("sys").path.append("/sandbox/more")',
    '__import__("os").mkdir("folder")',
    '__import__("os").chdir("folder")',
  ]) {
    harness.run(change);
    expect([change, harness.isSame()]).toEqual([change, false]);
    harness.save(sizeBytes);
    harness.run('1');
    expect([change, harness.isSame()]).toEqual([change, true]);
  }
});

test.each([
  ['a list', 'x = []'],
  ['a function', 'def x(): pass'],
  ['a large text', 'x = "x" * 70_000'],
  ['what is not put aside', 'x = (n for n in [])'],
  ['many files', '[open(f"/sandbox/{n}", "w").close() for n in range(101)] and None'],
])('of %s nobody sees at once whether it is the same', (_what, code) => {
  harness.run(code);
  harness.save(sizeBytes);
  harness.run('1');
  expect(harness.isSame()).toBe(false);
});

test('a stream that a run has kept prints in later ones, within their bounds and for them', () => {
  harness.run('from sys import stdout\nimport sys\ndef progress(n, out=sys.stderr): print(n, file=out)');
  harness.printed();
  harness.run('stdout.write("two, ")\nprint("three")\nprogress(4)\nstdout.write("five") and None');
  expect(harness.printed()).toBe('two, three\n4\nfive');
  expect(harness.run('stdout.write("x" * 20)', { outputBytes: 5 })).toEqual({
    type: 'exceeded',
    limit: 'output',
  });
  expect(harness.printed()).toBe('xxxxx');
  // what a run does to it ends with the run
  harness.run('stdout.write = None\nstdout.close()');
  harness.run('import sys\nwith sys.stdout as out: out.write("again")');
  expect(harness.printed()).toBe('again');
});

test('what a stream is told between two runs is not printed by the second', () => {
  harness.run(
    'import sys\nclass Late:\n  def __str__(self): return sys.stdout.write("late") and "m"\nlate = Late()',
  );
  harness.printed();
  harness.between('late.__str__()');
  harness.run('print("own")');
  expect(harness.printed()).toBe('own\n');
});

test('a burst of lines is handed on but for its end, in few parts', () => {
  harness.parts();
  harness.run('import time\nfor n in range(200): print(n)\ntime.sleep(0)\nprint("end", end="")');
  const parts = harness.parts();
  expect(parts.length).toBeLessThan(140);
  // what follows the last of them was held, and left at the end
  const early = parts.slice(0, -1).join('').split('\n').length - 1;
  expect(early).toBeGreaterThan(190);
  harness.run('for n in range(100_000): print()');
  expect(harness.parts().length).toBeLessThan(600);
});

test('an error for want of memory that has something to say is the code’s own', () => {
  expect(harness.run('raise MemoryError("mine")')).toMatchObject({
    type: 'threw',
    error: { type: 'MemoryError', message: 'mine' },
  });
  expect(harness.run('raise MemoryError')).toEqual({ type: 'exceeded', limit: 'memory' });
});

test('a last value that cannot leave is told as text where something was shown, and only there', () => {
  const lines = 'class Line: __repr__ = lambda self: "<line>"\n';
  expect(harness.run(`${lines}display(1)\n[Line()]`)).toMatchObject({ type: 'returned', value: '[<line>]' });
  expect(harness.run(`${lines}display([{"a": 1}])\n[Line()]`)).toMatchObject({ value: '[<line>]' });
  expect(harness.run(`${lines}[Line()]`)).toMatchObject({ type: 'threw', error: { type: 'TypeError' } });
});

test('what was submitted is the outcome, whatever becomes of the exception; but not of one that cannot leave', () => {
  const swallowed = 'try: SUBMIT(1)\nexcept BaseException: pass\n';
  for (const rest of ['2', '1 / 0', 'SUBMIT(3)'])
    expect(harness.run(swallowed + rest)).toEqual({ type: 'submitted', value: [['output', 1]] });
  expect(harness.run('1')).toMatchObject({ type: 'returned' });
  expect(harness.run(`${swallowed}raise KeyboardInterrupt`)).toMatchObject({ type: 'threw' });
  expect(harness.run('SUBMIT(open)')).toMatchObject({
    type: 'threw',
    error: { type: 'TypeError', message: expect.stringContaining('cannot leave') as string },
  });
});
