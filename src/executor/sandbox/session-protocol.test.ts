import { expect, test } from 'vitest';
import { parseGuestMessage } from './protocol.ts';
import { takeSave } from './saved-session.ts';
import { readSessionSave } from './session-protocol.ts';
import type { SessionSave } from './session-protocol.ts';

const save = { type: 'session-save', run: 1, parts: [new ArrayBuffer(8), null], names: ['x'], lost: [] };

test('a save is read as it was written', () => {
  const lost = [{ name: 'f', reason: 'open' }];
  expect(parseGuestMessage({ ...save, lost })).toEqual({ ...save, lost });
  expect(parseGuestMessage({ type: 'session-restored', lost })).toEqual({ type: 'session-restored', lost });
});

test.each([
  ['no run', { run: 0.5 }],
  ['parts that are no bytes', { parts: ['text'] }],
  ['shared memory', { parts: [new SharedArrayBuffer(8)] }],
  ['too many parts', { parts: Array.from({ length: 9 }, () => null) }],
  ['names that are none', { names: [1] }],
  ['a name that is too long', { names: ['x'.repeat(257)] }],
  ['too many names', { names: Array.from({ length: 10_001 }, () => 'x') }],
  ['a reason that is none', { lost: [{ name: 'x', reason: {} }] }],
  ['a loss that is none', { lost: [null] }],
  ['something beside', { more: 1 }],
  ['something beside a loss', { lost: [{ name: 'f', reason: 'open', more: 1 }] }],
  ['something beside the names', { names: Object.assign(['x'], { more: 1 }) }],
  ['something beside the parts', { parts: Object.assign([null], { more: 1 }) }],
  ['too many losses', { lost: Array.from({ length: 10_001 }, () => ({ name: 'x', reason: '' })) }],
])('%s is no save', (_name, change) => {
  expect(parseGuestMessage({ ...save, ...change })).toBeUndefined();
});

const read = (change: object): SessionSave => readSessionSave({ ...save, ...change }) as SessionSave;

test('a part that is the same is taken from the save before; without one, or with too many bytes, there is no save', () => {
  const before = takeSave(read({ parts: [new ArrayBuffer(8), new ArrayBuffer(16)] }), undefined, 100);
  const after = takeSave(read({ run: 2 }), before, 100);
  expect(after).toMatchObject({ run: 2 });
  expect(after?.parts[1]).toBe(before?.parts[1]);
  expect(takeSave(read({}), undefined, 100)).toBeUndefined();
  expect(takeSave(read({ parts: [new ArrayBuffer(2 ** 21)] }), undefined, 100)).toBeUndefined();
});
