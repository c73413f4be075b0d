/** What each language can do, as the table in docs/executor.md says it. `WRITE_DOCS=1` writes it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectSpelled } from '../laws/capability.contract.ts';
import { isTestedApart } from '../laws/spelling.contract.ts';
import type { Spelling } from '../laws/spelling.contract.ts';
import { javascriptSpelling } from './javascript/javascript-spelling.contract.ts';
import type { LanguageCapabilities, LanguageName } from './language.ts';
import { languages } from './languages.ts';
import { postgresSpelling } from './postgres/postgres-spelling.contract.ts';
import { pythonSpelling } from './python/python-spelling.contract.ts';
import { sqlSpelling } from './sql/sql-spelling.contract.ts';
import { typescriptSpelling } from './typescript/typescript-spelling.contract.ts';
import { wasmSpelling } from './wasm/wasm-spelling.contract.ts';

const file = new URL('../../../docs/executor.md', import.meta.url);
const [begin, end] = ['<!-- begin: capabilities -->\n', '<!-- end: capabilities -->'];

/** A capability without words here does not compile. */
const words: Readonly<Record<keyof LanguageCapabilities, string>> = {
  hasVariables: 'variables in and out',
  hasFiles: 'files',
  hasImports: 'modules of its own (`imports`)',
  hasTools: 'tools of the page',
  hasEnvironment: 'environment',
  hasWorkingDirectory: 'working directory',
  hasDisplays: 'rich values',
  hasSubmit: '`SUBMIT`',
  hasSubmitFields: '`submitFields`',
  hasPackages: 'packages',
  hasDeniedNames: 'modules and globals that a policy denies',
  isRenewable: 'fresh runs share a worker, never state',
  isRestorable: 'a lost session gets back what it kept',
  keepsTime: 'ends at its time limit by itself',
};

const sizeOf = (bytes: number): string =>
  bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 1024} KiB`;

function writeTable(): string {
  const named = Object.values(languages);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const row = (title: string, can: readonly (boolean | undefined)[]): string =>
    line([title, ...can.map((isSo) => (isSo ? 'yes' : '—'))]);
  return [
    line(['', ...named.map(({ name }) => `\`${name}\``)]),
    line(['---', ...named.map(() => '---')]),
    ...Object.entries(words).map(([key, title]) =>
      row(
        title,
        named.map(({ capabilities }) => capabilities[key as keyof LanguageCapabilities]),
      ),
    ),
    row(
      'starts from a snapshot of its memory',
      named.map(({ hasSnapshots }) => hasSnapshots),
    ),
    line([
      'program as',
      ...named.map(({ codeForm = 'text' }) => (codeForm === 'either' ? 'text or bytes' : codeForm)),
    ]),
    line(['least memory', ...named.map(({ leastMemoryBytes }) => sizeOf(leastMemoryBytes))]),
    '',
  ].join('\n');
}

const parts = (): readonly [before: string, table: string, after: string] => {
  const [before = '', rest = ''] = readFileSync(file, 'utf8').split(begin);
  const [table = '', after = ''] = rest.split(end);
  return [before, table, after];
};

test('the table in docs/executor.md says what the languages can do', () => {
  const [before, , after] = parts();
  if (process.env['WRITE_DOCS']) writeFileSync(file, `${before}${begin}${writeTable()}${end}${after}`);
  expect(parts()[1], 'run it with WRITE_DOCS=1').toBe(writeTable());
});

const spellings: Readonly<Record<LanguageName, Spelling>> = {
  javascript: javascriptSpelling,
  postgres: postgresSpelling,
  python: pythonSpelling,
  sql: sqlSpelling,
  typescript: typescriptSpelling,
  wasm: wasmSpelling,
  wat: wasmSpelling,
};

test.each(Object.values(languages))('$name says what its laws ask of it', ({ name, capabilities }) => {
  expectSpelled(capabilities, spellings[name]);
});

test('what is tested apart is tested there', () => {
  const apart = Object.values(spellings).flatMap((spelling) => Object.values(spelling).filter(isTestedApart));
  expect(apart.length).toBeGreaterThan(0);
  for (const { testedIn } of apart) {
    const [path = '', title = ''] = testedIn.split(' › ');
    const text = readFileSync(new URL(path, import.meta.url), 'utf8');
    expect([testedIn, text.includes(`test('${title}`)]).toEqual([testedIn, true]);
  }
});
