import { expect, test } from 'vitest';
import {
  comparePythonVersions,
  fitsSpecifier,
  isPreRelease,
  parsePythonVersion,
  parseSpecifier,
} from './version.ts';
import type { PythonVersion } from './version.ts';

const version = (text: string): PythonVersion => parsePythonVersion(text) as PythonVersion;

test('versions come in the order of the specification', () => {
  const ordered =
    '1.dev0 1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 1.0b2.post345 1.0rc1.dev456 ' +
    '1.0rc1 1.0 1.0+abc.5 1.0+abc.7 1.0+5 1.0.post456.dev34 1.0.post456 1.0.15 1.1.dev1 1!0.1';
  const versions = ordered.split(' ').map(version);
  for (const [at, one] of versions.entries()) {
    for (const [index, other] of versions.entries()) {
      expect(Math.sign(comparePythonVersions(one, other)), `${one.text} ${other.text}`).toBe(
        Math.sign(at - index),
      );
    }
  }
});

test.each([
  ['1.0', 'v1.0.0'],
  ['1.0a1', '1.0-ALPHA.1'],
  ['1.0rc2', '1.0preview2'],
  ['1.0.post3', '1.0-3'],
  ['1.0.dev0', '1.0dev'],
])('%s is %s', (one, other) => {
  expect(comparePythonVersions(version(one), version(other))).toBe(0);
});

test.each(['', 'x', '1..0', '1.0.*', '1.0-', `1${'.0'.repeat(100)}`])('"%s" is no version', (text) => {
  expect(parsePythonVersion(text)).toBeUndefined();
});

test.each([
  ['1.4.5', '~=1.4.2', true],
  ['1.5', '~=1.4.2', false],
  ['2.9', '~=2.2', true],
  ['1.1.post1', '==1.1', false],
  ['1.1.post1', '==1.1.*', true],
  ['1.1', '==1.1.0.*', true],
  ['1.1+local', '==1.1', true],
  ['1.1', '==1.1+local', false],
  ['1.1a1', '<1.1', false],
  ['1.1a1', '<=1.1', true],
  ['1.7.post1', '>1.7', false],
  ['1.7.1', '>1.7', true],
  ['1.7+x', '>1.7', false],
  ['3.14.2', '>=3.8, <4, !=3.9.*', true],
  ['1.0', '===1.0', true],
  ['1.0', '===1.0.0', false],
  ['1.0', '', true],
])('%s with "%s": %s', (text, specifier, expected) => {
  expect(fitsSpecifier(version(text), parseSpecifier(specifier) ?? [])).toBe(expected);
});

test.each(['1.0', '>x', '~=1', '>=1.*', '=1', '== '])('"%s" is no specifier', (text) => {
  expect(parseSpecifier(text)).toBeUndefined();
});

test('what is not final is told', () => {
  expect(['1.0', '1.0.post1', '1.0a1', '1.0.dev1'].map((text) => isPreRelease(version(text)))).toEqual([
    false,
    false,
    true,
    true,
  ]);
});
