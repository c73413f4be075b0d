/** Every language by its name. A new one is added here, and in `tools/build-assets.mjs`. */
import type { Language, LanguageName } from './language.ts';
import { javascript } from './javascript/javascript.ts';
import { postgres } from './postgres/postgres.ts';
import { python } from './python/python.ts';
import { sql } from './sql/sql.ts';
import { typescript } from './typescript/typescript.ts';
import { wasm, wat } from './wasm/wasm.ts';

export const languages: Readonly<Record<LanguageName, Language>> = Object.freeze({
  javascript,
  postgres,
  python,
  sql,
  typescript,
  wasm,
  wat,
});
