import { describe, expect, it } from 'vitest';
import { rewriteAddresses } from './build.mjs';

describe('addresses in emitted files', () => {
  it.each([
    [
      'x.js',
      "new Worker(new URL('./a.worker.ts', import.meta.url), {})",
      "new Worker(new URL('./a.worker.js', import.meta.url), {})",
    ],
    [
      'x.js',
      'new URL(\n  "../b/a.ts",\n  import.meta.url,\n)',
      'new URL(\n  "../b/a.js",\n  import.meta.url,\n)',
    ],
    ['x.js', "import { a } from './a.js';", "import { a } from './a.js';"],
    ['x.d.ts', "export { a } from './a.ts';", "export { a } from './a.js';"],
    ['x.d.ts', "import type { A } from '../a.ts';", "import type { A } from '../a.js';"],
    ['x.d.ts', "export type A = import('./a.ts').A;", "export type A = import('./a.js').A;"],
  ])('%s: %s', (path, text, expected) => {
    expect(rewriteAddresses(text, path)).toBe(expected);
  });

  it.each([
    ['x.js', "const path = './a.worker.ts'; new URL(path, import.meta.url)"],
    ['x.js', "new URL('./a.worker.ts', base)"],
    ['x.js', 'import(`./a.ts`)'],
    ['x.d.ts', "declare module './a.ts' {}"],
  ])('%s with a source left behind is refused: %s', (path, text) => {
    expect(() => rewriteAddresses(text, path)).toThrow(/still names .*\.ts/);
  });
});
