/** The laws' programs in TypeScript: those of JavaScript, and what is its own. */
import { expect } from 'vitest';
import type { FaultyModule, Spelling } from '../../laws/spelling.contract.ts';
import { javascriptSpelling } from '../javascript/javascript-spelling.contract.ts';

const faulty = {
  'lib/bad.ts': 'export const a: number = 1;\n  let x: = 5',
  'lib/late.ts':
    'export function f(a: number): never {\n  const c = a as unknown; throw new TypeError("k") }\nexport type A = 1',
};
const bad = { file: 'lib/bad.ts', line: 2, column: 10, message: 'Unexpected token' };
const faultyModules: readonly FaultyModule[] = (
  [
    ['\nimport { a } from "./lib/bad"\na', 'syntax-error', bad],
    [
      '\n\nawait import("./lib/bad")',
      'threw',
      { type: 'SyntaxError', message: 'Unexpected token', file: 'lib/bad.ts', line: 2 },
    ],
    [
      'import { f } from "./lib/late.ts"\nf(1 as number)',
      'threw',
      // columns, too, are those of the source
      {
        file: 'lib/late.ts',
        line: 2,
        traceback: expect.stringContaining('at f (lib/late.ts:2:37)') as string,
      },
    ],
  ] as const
).map(([code, type, fault]) => ({ context: { imports: faulty }, code, type, fault }));

export const typescriptSpelling: Spelling = {
  ...javascriptSpelling,
  language: 'typescript',
  failing: {
    code: 'function f(a: number, b?: string): never {\n  const c = a as unknown; throw new TypeError("k")\n}\nf(1 as number)',
    type: 'TypeError',
    message: 'k',
    traceback: [/^TypeError: k\n {4}at f \(<run-\d+>:2:\d+\)\n {4}at <eval> \(<run-\d+>:4:\d+\)$/u],
    hidden: /harness|guest\.invalid/u,
  },
  faultyModules,
  syntaxError: { code: 'console.log("ran")\nlet x: = 1', column: 8, message: 'Unexpected token' },
  imports: {
    imports: {
      'lib/math.ts':
        'import type { Two } from "./one";\nimport { one } from "./one";\nexport const two: Two = one + one;\nexport default <T extends number>(x: T): number => x * two;',
      'lib/one.ts': 'export type Two = number;\nexport const one: number = 1;',
      'plain.js': 'export const less = (a, b) => a < b;',
      'data.json': '{ "a": [1] }',
    },
    asked: [
      'import twice, { two as zwei } from "./lib/math"\nimport { less } from "./plain.js"\nimport data from "./data.json"\n' +
        'enum E { A = 3 }\ninterface I { a: number[] }\n;[twice(4 as number), zwei, (data as I).a, less(1, 2), E.A, (await import("lib/one")).one]',
      [8, 2, [1], true, 3, 1],
    ],
  },
};
