import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, isSemanticVersion, newestVersion } from './semantic-version.ts';

const signOf = (order: number): number => Math.sign(order);

test.each([
  [['1.0.0', '2.0.0', '2.1.0', '2.1.1']],
  [
    [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
    ],
  ],
  [['9.0.0', '10.0.0', '99999999999999999999.0.0', '100000000000000000000.0.0']],
])('the order of %j, as in the specification', (ordered) => {
  for (const [at, one] of ordered.entries()) {
    for (const [otherAt, other] of ordered.entries())
      expect([one, other, signOf(compareVersions(one, other))]).toEqual([
        one,
        other,
        Math.sign(at - otherAt),
      ]);
  }
});

test('build metadata does not count', () => {
  expect(compareVersions('1.0.0+20130313144700', '1.0.0+exp.sha.5114f85')).toBe(0);
  expect(compareVersions('1.0.0-beta+a', '1.0.0-beta')).toBe(0);
});

test.each([
  '1.0.0',
  '0.0.0',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-0.3.7',
  '1.0.0-x.7.z.92',
  '1.0.0-x-y-z.--',
  '1.0.0-alpha+001',
  '1.0.0+20130313144700',
  '1.0.0-beta+exp.sha.5114f85',
  '1.0.0+21AF26D3----117B344092BD',
])('%s is one', (text) => {
  expect(isSemanticVersion(text)).toBe(true);
});

test.each([
  '',
  '1',
  '1.0',
  'v1.0.0',
  '01.0.0',
  '1.0.0-01',
  '1.0.0-',
  '1.0.0-a..b',
  '1.0.0+',
  '1.0.0 ',
  '-1.0.0',
  '1.0.0.0',
  `1.0.${'1'.repeat(300)}`,
  1,
  null,
])('%s is none', (text) => {
  expect(isSemanticVersion(text)).toBe(false);
});

test('the newest is the newest release, or the newest pre-release where there is no release', () => {
  expect(newestVersion(['1.0.0', '1.10.0', '2.0.0-rc.1', '1.9.0'])).toBe('1.10.0');
  expect(newestVersion(['2.0.0-beta.2', '2.0.0-beta.11'])).toBe('2.0.0-beta.11');
  expect(newestVersion([])).toBeUndefined();
});

const part = fc.oneof(fc.nat({ max: 20 }).map(String), fc.constantFrom('a', 'b', 'rc', '-', 'a1', '1a'));
const version = fc
  .record({
    core: fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }), fc.nat({ max: 12 })),
    preRelease: fc.array(part, { maxLength: 3 }),
  })
  .map(({ core, preRelease }) => core.join('.') + (preRelease.length > 0 ? `-${preRelease.join('.')}` : ''));

test('it is an order: what is before is not behind, and it does not go in circles', () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(isSemanticVersion(a)).toBe(true);
      expect(compareVersions(a, a)).toBe(0);
      expect(signOf(compareVersions(a, b)) + signOf(compareVersions(b, a))).toBe(0);
      const isChain = compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0;
      expect(isChain && compareVersions(a, c) > 0).toBe(false);
    }),
  );
});
