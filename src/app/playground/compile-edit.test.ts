import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compileEdit, maxSourceLength, placeOf } from './compile-edit.ts';

const entry = 'http://localhost/vivarium.js';

describe('compileEdit', () => {
  test('the shipped module compiles, keeps its lines and imports the one entry', async () => {
    const source = readFileSync('src/app/playground/ask-table.ts', 'utf8');
    const code = await compileEdit(source, entry);
    const line = (text: string): number =>
      text.split('\n').findIndex((each) => each.includes('async execute(')) + 1;
    expect(line(code)).toBe(line(source));
    expect(code).toContain(`from '${entry}'`);
    expect(code).not.toContain('interface ');
  });

  test('types go, values stay', async () => {
    const code = await compileEdit(
      "import type { Run } from 'vivarium';\nexport const a: number = 1 as number;\n",
      entry,
    );
    expect(code).toContain('export const a = 1');
    expect(code).not.toContain('vivarium.js');
  });

  test('dynamic imports are rewritten as text', async () => {
    expect(await compileEdit("export const a = import('vivarium');", entry)).toContain(`import("${entry}")`);
  });

  test.each([
    ['import _ from "lodash"; _();', 'lodash', { line: 1, column: 16 }],
    [
      'const a = 1;\nimport x from "https://evil.example/x.js"; x();',
      'https://evil.example/x.js',
      { line: 2, column: 16 },
    ],
    ['export * from "./other.ts";', './other.ts', { line: 1, column: 16 }],
    ['const name = "vivarium"; import(name);', 'a computed address', { line: 1, column: 33 }],
  ])('refuses the import in %j', async (source, specifier, place) => {
    await expect(compileEdit(source, entry)).rejects.toMatchObject({
      code: 'app/module-import-refused',
      fields: { specifier, ...place },
    });
  });

  test('a syntax error has its place', async () => {
    await expect(compileEdit('const a = 1;\nclass {{{\n', entry)).rejects.toMatchObject({
      code: 'app/module-syntax',
      fields: { line: 2 },
    });
  });

  test('a source that is too long is refused', async () => {
    await expect(compileEdit(' '.repeat(maxSourceLength + 1), entry)).rejects.toMatchObject({
      code: 'app/module-too-long',
    });
  });

  test('places count from 1', () => {
    expect(placeOf('ab\ncd', 0)).toEqual({ line: 1, column: 1 });
    expect(placeOf('ab\ncd', 4)).toEqual({ line: 2, column: 2 });
  });
});
