import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodedError, isCodedError, messageOf, toCodedError } from './error.ts';

test('whatever is thrown has a message and becomes a coded error, without throwing', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (thrown) => {
      expect(typeof messageOf(thrown)).toBe('string');
      const error = toCodedError(thrown, 'base/test', { isRetryable: true });
      expect(error).toMatchObject({ code: 'base/test', isRetryable: true });
      expect(isCodedError(error, 'base/test')).toBe(true);
    }),
  );
});

test('a coded error passes as it is, and tells its code from others', () => {
  const error = new CodedError('base/one', 'text', { fields: { a: 1 }, cause: 'why' });
  expect(toCodedError(error, 'base/two')).toBe(error);
  expect(isCodedError(error)).toBe(true);
  expect(isCodedError(error, 'base/two')).toBe(false);
  expect(error).toMatchObject({ name: 'CodedError', fields: { a: 1 }, cause: 'why', isRetryable: false });
});

test('an error of another copy of the library is recognised', () => {
  const foreign = Object.assign(new Error('text'), {
    [Symbol.for('vivarium.coded-error')]: true,
    code: 'base/one',
  });
  expect(isCodedError(foreign, 'base/one')).toBe(true);
  for (const value of [undefined, null, 'base/one', { code: 'base/one' }, new Error('x')])
    expect(isCodedError(value)).toBe(false);
});
