import { expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
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
