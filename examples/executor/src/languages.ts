import type { ExecutionContext } from 'vivarium/executor';
import animals from '../programs/animals.csv?raw';
import javascript from '../programs/program.js?raw';
import python from '../programs/program.py?raw';
import sql from '../programs/program.sql?raw';
import typescript from '../programs/program.ts?raw';
import wat from '../programs/program.wat?raw';
import { tools } from './tools.ts';

/** A language of the executor, and what this page offers in it. */
export interface Offer {
  readonly title: string;
  readonly program: string;
  /** What each run is given. A context that asks for what the language lacks is refused. */
  readonly context: ExecutionContext;
}

const files = { 'animals.csv': animals };

export const languages = {
  python: { title: 'Python', program: python, context: { files, tools } },
  javascript: { title: 'JavaScript', program: javascript, context: { files, tools } },
  typescript: { title: 'TypeScript', program: typescript, context: { files, tools } },
  wat: { title: 'WebAssembly text', program: wat, context: { files } },
  sql: { title: 'SQL', program: sql, context: { files } },
} satisfies Record<string, Offer>;

export type Language = keyof typeof languages;
