import { expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { languages } from '../language/languages.ts';
import type { Language } from '../language/language.ts';
import type { PackageIndex } from '../package.ts';
import { denyByDefault, resolvePolicy } from '../policy/policy.ts';
import type { PolicyInput } from '../policy/policy.ts';
import { checkOptions } from './check-options.ts';

/** The field that is refused. */
function refused(language: Language, policy: PolicyInput | undefined, index?: unknown): unknown {
  try {
    checkOptions(language, resolvePolicy(policy), index as PackageIndex);
    return undefined;
  } catch (error) {
    if (!isCodedError(error, 'executor/option-invalid')) throw error;
    return error.fields['field'];
  }
}

test.each([languages.sql, languages.wasm, languages.wat])(
  '$name refuses denials that nothing would look for',
  (language) => {
    expect(refused(language, undefined)).toBe(undefined);
    expect(refused(language, { ...denyByDefault, deniedModules: ['js'], tools: [] })).toBe(undefined);
    expect(refused(language, { deniedModules: [...denyByDefault.deniedModules, 'env'] })).toBe(
      'policy.deniedModules',
    );
    expect(refused(language, { deniedGlobals: ['memory'] })).toBe('policy.deniedGlobals');
  },
);

test.each([languages.python, languages.javascript, languages.typescript])('$name takes them', (language) => {
  expect(refused(language, { deniedModules: ['os'], deniedGlobals: ['eval'] })).toBe(undefined);
});

const index: PackageIndex = { form: 'simple', url: 'https://index.example/simple/' };

test('an index is for a language that has packages', () => {
  for (const language of Object.values(languages)) {
    const field = language.capabilities.hasPackages ? undefined : 'packageIndex';
    expect([language.name, refused(language, undefined, index)]).toEqual([language.name, field]);
  }
});

test.each([
  ['packageIndex', null],
  ['packageIndex', 'https://index.example/simple/'],
  ['packageIndex.form', { ...index, form: 'other' }],
  ['packageIndex.url', { ...index, url: 'https://' }],
  ['packageIndex.url', { form: 'simple' }],
  ['packageIndex.packageBaseUrl', { ...index, packageBaseUrl: 'https://' }],
  ['packageIndex.fileOrigins', { ...index, fileOrigins: 'https://files.example' }],
  ['packageIndex.fileOrigins', { ...index, fileOrigins: ['https://files.example/'] }],
  ['packageIndex.fileOrigins', { ...index, fileOrigins: [1] }],
  ['packageIndex.lockSha256', { ...index, lockSha256: 'ab' }],
])('a broken %s is told when the executor is made', (field, broken) => {
  expect(refused(languages.python, undefined, broken)).toBe(field);
  expect(refused(languages.python, undefined, { ...index, fileOrigins: ['https://files.example'] })).toBe(
    undefined,
  );
});
