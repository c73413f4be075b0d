import { expect, test } from 'vitest';
import { defaultLimits, resolveLimits } from './limits.ts';
import { denyByDefault } from './policy/policy.ts';
import { prepareRun } from './sandbox/prepare-run.ts';
import { refusePythonName } from './language/python/python-name.ts';
import { python } from './language/python/python.ts';
import type { GuestValue } from './guest-value.ts';

const rules = { limits: defaultLimits, policy: denyByDefault, language: python };

test('the defaults resolve to themselves and are frozen', () => {
  expect(resolveLimits()).toEqual(defaultLimits);
  expect(Object.isFrozen(resolveLimits())).toBe(true);
  expect(resolveLimits({ warmSandboxes: 0 }).warmSandboxes).toBe(0);
});

test.each([
  ['wallTimeMs', 0],
  ['wallTimeMs', 1.5],
  ['wallTimeMs', Infinity],
  ['memoryBytes', 2 ** 20],
  ['memoryBytes', 2 ** 33],
  ['valueDepth', 1000],
  ['codeBytes', -1],
  ['somethingElse', 1],
])('limits.%s = %d is refused by name', (field, value) => {
  expect(() => resolveLimits({ [field]: value })).toThrow(
    expect.objectContaining({ code: 'executor/limit-invalid', fields: expect.objectContaining({ field }) }),
  );
});

test.each([
  ['x', undefined],
  ['_', undefined],
  ['größe', undefined],
  ['match', undefined],
  ['async', 'a keyword'],
  ['1x', 'something that is no Python identifier'],
  ['a.b', 'something that is no Python identifier'],
  ['x\n', 'something that is no Python identifier'],
  ['__builtins__', 'a name that Python keeps for itself'],
  ['SUBMIT', 'the name of the function that submits'],
])('the name %j: %s', (name, expected) => {
  expect(refusePythonName(name)).toBe(expected);
});

test('a refusal names the place and what was expected', () => {
  const variables = { table: [{ fine: 1, bad: (() => 1) as unknown as GuestValue }] };
  expect(() => prepareRun('1', { variables }, {}, rules)).toThrow(
    expect.objectContaining({
      code: 'executor/variable-invalid',
      fields: { path: 'table[0].bad', expected: 'a value that can cross', found: 'a function' },
    }),
  );
});

test('the caller keeps what it handed over', () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const { buffers } = prepareRun('x', { variables: { x: bytes } }, {}, rules);
  new Uint8Array(buffers[0] as ArrayBuffer).fill(9);
  expect([...bytes]).toEqual([1, 2, 3]);
});

test('code is measured in bytes, and the exact size passes', () => {
  const limits = resolveLimits({ codeBytes: 4 });
  expect(() => prepareRun('éé', {}, {}, { ...rules, limits })).not.toThrow();
  expect(() => prepareRun('éé1', {}, {}, { ...rules, limits })).toThrow(
    expect.objectContaining({ code: 'executor/code-too-large', fields: { sizeBytes: 5, allowed: 4 } }),
  );
});

test('a limit on time can be lowered, not raised', () => {
  expect(prepareRun('1', {}, { timeoutMs: 50 }, rules).timeoutMs).toBe(50);
  expect(prepareRun('1', {}, { timeoutMs: Infinity }, rules).timeoutMs).toBe(defaultLimits.wallTimeMs);
});
