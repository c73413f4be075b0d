import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedactor } from './redact.ts';

test('takes out every form of every secret', () => {
  const redact = createRedactor(['a+b/"c"', 'longer-a+b/"c"-secret']);
  expect(redact('x a+b/"c" y')).toBe('x [redacted] y');
  expect(redact(`x ${encodeURIComponent('a+b/"c"')} y`)).toBe('x [redacted] y');
  expect(redact(JSON.stringify({ key: 'a+b/"c"' }))).toBe('{"key":"[redacted]"}');
  expect(redact('longer-a+b/"c"-secret')).toBe('[redacted]');
});

test('leaves texts alone when there is nothing to hide', () => {
  expect(createRedactor(['', 'abc'])('abc is too short to be a secret')).toBe(
    'abc is too short to be a secret',
  );
});

test('no secret survives, wherever it stands and however often', () => {
  const secret = fc.string({ minLength: 12, maxLength: 40 }).filter((text) => !'[redacted]'.includes(text));
  fc.assert(
    fc.property(secret, fc.array(fc.string()), (hidden, around) => {
      expect(createRedactor([hidden])(around.join(hidden)).split(hidden)).toHaveLength(1);
    }),
  );
});
