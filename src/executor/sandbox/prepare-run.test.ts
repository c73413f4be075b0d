import { expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { javascript } from '../language/javascript/javascript.ts';
import { python } from '../language/python/python.ts';
import { defaultLimits } from '../limits.ts';
import { denyByDefault } from '../policy/policy.ts';
import { prepareRun } from './prepare-run.ts';
import type { PreparedRun } from './prepare-run.ts';

const rules = { limits: defaultLimits, policy: denyByDefault, language: python };
const prepare = (variables: Record<string, unknown>, transfer?: readonly unknown[]): PreparedRun =>
  prepareRun('1', { variables: variables as never }, { transfer: transfer as never }, rules);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isCodedError(error)) return error.code;
  }
  return 'none';
}

test('what is given away is taken, not copied; what is not stays the caller’s', () => {
  const [given, kept] = [new Float64Array([1, 2]), new Float64Array([3])];
  const { buffers } = prepare({ given, kept }, [given.buffer]);
  expect(buffers.map((buffer) => [...new Float64Array(buffer)])).toEqual([[1, 2], [3]]);
  expect([given.length, kept.length]).toEqual([0, 1]);
});

test('one buffer under several names is taken once, and a part of one is copied', () => {
  const whole = new Uint8Array([1, 2, 3, 4]);
  const { buffers } = prepare({ a: whole, b: new Int8Array(whole.buffer), part: whole.subarray(1, 3) }, [
    whole.buffer,
  ]);
  expect(buffers.map((buffer) => [...new Uint8Array(buffer)])).toEqual([
    [1, 2, 3, 4],
    [2, 3],
  ]);
  expect(whole.length).toBe(0);
});

test('a call that is refused takes nothing', () => {
  const given = new Uint8Array([1]);
  expect(codeOf(() => prepare({ given, wrong: () => 1 }, [given.buffer]))).toBe('executor/variable-invalid');
  const timeoutMs = -1;
  const options = { transfer: [given.buffer], timeoutMs };
  expect(codeOf(() => prepareRun('1', { variables: { given } }, options, rules))).toBe(
    'executor/option-invalid',
  );
  expect([...given]).toEqual([1]);
});

test('memory of WebAssembly cannot be given away, and is copied', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = new Uint8Array(memory.buffer);
  bytes[0] = 7;
  const { buffers } = prepare({ bytes }, [memory.buffer]);
  expect(new Uint8Array(buffers[0] as ArrayBuffer)[0]).toBe(7);
  expect(bytes[0]).toBe(7);
});

test.each<[string, unknown]>([
  ['no list', 7],
  ['a view', [new Uint8Array(1)]],
  ['memory that is shared', [new SharedArrayBuffer(1)]],
  ['a buffer that is gone', [detached()]],
])('to give away %s is refused', (_name, transfer) => {
  expect(codeOf(() => prepare({}, transfer as never))).toBe('executor/option-invalid');
});

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(1);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

test('Python reads two ways to write a name as one, and takes no two values under it', () => {
  const call = () => 1;
  const code = (context: object, language = python): string =>
    codeOf(() => prepareRun('1', context, {}, { ...rules, language }));
  expect(code({ variables: { ﬁ: 1, fi: 2 } })).toBe('executor/variable-invalid');
  expect(code({ tools: { ﬁ: { call }, fi: { call } } })).toBe('executor/tool-invalid');
  expect(code({ variables: { fi: 1 }, tools: { ﬁ: { call } } })).toBe('executor/tool-invalid');
  expect(code({ variables: { ﬁ: 1 }, tools: { fi: { call } } })).toBe('executor/tool-invalid');
  // JavaScript reads them as they are written
  expect(code({ variables: { ﬁ: 1, fi: 2 }, tools: { ℌ: { call }, H: { call } } }, javascript)).toBe('none');
});

test('names are handed over in the form in which the language reads them', () => {
  const request = (language = python): unknown => {
    const { request: bytes } = prepareRun(
      '1',
      { variables: { ℌ: 1 }, tools: { ſ: { call: () => 1 } } },
      { outputs: ['ℌ'] },
      { ...rules, language },
    );
    return JSON.parse(new TextDecoder().decode(bytes));
  };
  expect(request()).toMatchObject({ variables: { H: 1 }, tools: ['s'], outputs: ['H'] });
  expect(request(javascript)).toMatchObject({ variables: { ℌ: 1 }, tools: ['ſ'], outputs: ['ℌ'] });
});

test.each([
  // oxlint-disable-next-line no-sparse-arrays -- that is what is refused
  [[1, , 2]],
  [[[0], Array.from({ length: 2 }).fill(undefined)]],
  [Object.assign([], { length: 3 })],
])('what is missing in a list is refused, as undefined is', (list) => {
  expect(codeOf(() => prepare({ list }))).toBe('executor/variable-invalid');
});

test.each([
  [new Set([{ a: 1 }])],
  [new Map([[{ a: 1 }, 1]])],
  [new Map([[new Float64Array(1), 1]])],
  [
    new Map<unknown, unknown>([
      [1, 'int'],
      [true, 'bool'],
    ]),
  ],
  [new Set<unknown>([1, true])],
  [
    [
      new Set<unknown>([
        [1, 'a'],
        [true, 'a'],
      ]),
    ],
  ],
])('%j cannot be what it is in Python, and is refused; JavaScript takes it', (value) => {
  expect(codeOf(() => prepare({ value }))).toBe('executor/variable-invalid');
  const context = { variables: { value: value as never } };
  expect(codeOf(() => prepareRun('1', context, {}, { ...rules, language: javascript }))).toBe('none');
});

test('keys that Python can tell apart are taken', () => {
  const value = new Map<unknown, unknown>([
    [1, 1],
    ['1', 1],
    [null, 1],
    [[1], 1],
    [new Date(1), 1],
  ]);
  expect(codeOf(() => prepare({ value, set: new Set(['a', 'b']) }))).toBe('none');
});

test.each([
  [{ files: { a: 'x', 'a/b': 'y' } }, 'executor/file-invalid'],
  [{ files: { 'c/d/e/f': 'x', 'c/d': 'y' } }, 'executor/file-invalid'],
  [{ files: { a: 'x' }, workingDirectory: 'a' }, 'executor/option-invalid'],
  [{ files: { a: 'x' }, workingDirectory: 'a/b/c' }, 'executor/option-invalid'],
  [{ files: { 'a/b': 'x', 'a/c': 'y', ab: 'z' }, workingDirectory: 'a' }, 'none'],
])('a file is no folder: %j', (context, code) => {
  expect(codeOf(() => prepareRun('1', context, {}, rules))).toBe(code);
});
