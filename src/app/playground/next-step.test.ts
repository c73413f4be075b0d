import { expect, test } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { nextStep, toNotice } from './next-step.ts';

test('an exact code goes before its layer', () => {
  expect(nextStep('lm/timeout')).not.toBe(nextStep('lm/server'));
  expect(nextStep('app/csv-row-ragged')).toBe(nextStep('app/csv-empty'));
  expect(nextStep('nobody/knows')).toBeUndefined();
});

test('coded errors keep code and fields, others get one', () => {
  const error = new CodedError('app/csv-empty', 'empty', { fields: { row: 1 } });
  expect(toNotice(error)).toMatchObject({ code: 'app/csv-empty', message: 'empty', fields: { row: 1 } });
  expect(toNotice(new Error('x'))).toEqual({ code: 'app/unexpected', message: 'x' });
});

test.each([
  ['time', /raise timeLimitMs/u],
  // more time helps against the limit of time only
  ['memory', /^(?!.*timeLimitMs).*fewer rows/u],
  ['output', /^(?!.*timeLimitMs).*printed more/u],
  ['display', /^(?!.*timeLimitMs).*fewer pictures/u],
  ['result', /^(?!.*timeLimitMs).*summary/u],
  ['keys', /^(?!.*timeLimitMs).*list/u],
  ['calls', /^(?!.*timeLimitMs).*fewer calls/u],
])('the advice at the %s limit is about that limit', (limit, advice) => {
  const { next } = toNotice(new CodedError('app/python-exceeded', 'stopped', { fields: { limit } }));
  expect(next).toMatch(advice);
});
