import { expect, test } from 'vitest';
import { parseMarker } from './marker.ts';
import { parseRequirement } from './requirement.ts';

test.each([
  ['six', 'six', [], 0],
  [' Zope.Interface >= 5 , < 7 ', 'zope-interface', [], 2],
  ['rich[jupyter, Fast_JSON] (==14.*)', 'rich', ['jupyter', 'fast-json'], 1],
  ['a~=1.0;python_version<"3"', 'a', [], 1],
])('"%s" is read', (text, name, extras, clauses) => {
  const requirement = parseRequirement(text);
  expect([requirement.name, requirement.extras, requirement.specifier.length]).toEqual([
    name,
    extras,
    clauses,
  ]);
});

test.each([
  ['nothing', ''],
  ['an address', 'six @ https://evil.example/six.whl'],
  ['an address alone', 'https://evil.example/six-1.0-py3-none-any.whl'],
  ['a path', '../six'],
  ['a path in a name', 'a/b'],
  ['versions that are none', 'six >= banana'],
  ['an extra that is none', 'six[a b]'],
  ['a marker that is none', 'six; python_version <'],
  ['a variable that nobody knows', 'six; password == "x"'],
  ['brackets without end', `six; ${'('.repeat(200)}`],
  ['brackets in brackets', `six; ${'('.repeat(50)}os_name == "x"${')'.repeat(50)}`],
  ['a text without end', 'six; os_name == "x'],
  ['a great length', `six ${'>=1,'.repeat(1000)}`],
])('%s is no requirement', (_name, text) => {
  expect(() => parseRequirement(text)).toThrow(expect.objectContaining({ code: 'executor/package-invalid' }));
});

test.each([
  ['', '', true],
  ['python_version >= "3.8"', '', true],
  ['python_version < "3.8"', '', false],
  // as versions, not as texts
  ['python_version > "3.9"', '', true],
  ['sys_platform == "emscripten" and platform_machine != "x86_64"', '', true],
  ['sys_platform in "linux darwin"', '', false],
  ['sys_platform not in "linux darwin"', '', true],
  ["'win' in sys_platform or os.name == 'posix'", '', true],
  ['(os_name == "nt" or implementation_name == "cpython") and extra == "test"', '', false],
  ['(os_name == "nt" or implementation_name == "cpython") and extra == "test"', 'test', true],
  // extras are names: however they are written, they are the same
  ['extra == "Fast_JSON"', 'fast-json', true],
  ["'fast..json' == extra", 'fast-json', true],
  ['extra != "fast_json"', 'fast-json', false],
  ['extra == "fastjson"', 'fast-json', false],
  ['extra in "Fast_JSON, slow"', 'fast-json', true],
  ['extra == "fast_json"', '', false],
  // a version is none
  ['extra == "1.0"', '1', false],
  ['os_name == "nt" and os_name == "nt" or os_name == "posix"', '', true],
])('%s with extra "%s": %s', (text, extra, expected) => {
  expect(parseMarker(text)(extra)).toBe(expected);
});

/** Milliseconds of the fastest of three, with room for a busy machine in the bounds below. */
function fastest(work: () => void): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const startMs = performance.now();
      work();
      return performance.now() - startMs;
    }),
  );
}

test.each([
  ['spaces before an address', `a${' '.repeat(990)}@`],
  ['spaces everywhere', `a${' '.repeat(300)}[x]${' '.repeat(300)}(${' '.repeat(300)}@`],
  ['spaces before a marker that is none', `a${' '.repeat(490)};${' '.repeat(490)}@`],
  ['dots', `a${'.'.repeat(990)}@`],
  ['a name without end', `${'a-'.repeat(490)}@`],
  ['brackets that do not close', `a${'['.repeat(990)}`],
  ['a version without end', `a==${'1.'.repeat(60)}@`],
  ['digits without end', `a==${'1'.repeat(120)}@`],
  ['quotes that do not close', `a;${'"'.repeat(991)}`],
])('%s cost no more than their length', (_name, text) => {
  const refuse = (): void => {
    expect(() => parseRequirement(text)).toThrow(
      expect.objectContaining({ code: 'executor/package-invalid' }),
    );
  };
  expect(fastest(refuse)).toBeLessThan(100);
});

test.each([
  ['more extras than anybody asks for', `a[${'b,'.repeat(65)}]`],
  ['more clauses than anybody writes', `a${'>1,'.repeat(65)}`],
])('%s are refused', (_name, text) => {
  expect(() => parseRequirement(text)).toThrow(expect.objectContaining({ code: 'executor/package-invalid' }));
});
