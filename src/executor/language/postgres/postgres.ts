/**
 * SQL by Postgres, as the page knows it. A language of its own and not an option of `sql`: the programs are others, and what each can be given, what
 * it costs and how it fails is told by language.
 */
import { deepFreeze } from '../../../base/index.ts';
import type { Language } from '../language.ts';
import { refusePostgresName } from './postgres-name.ts';

export const postgres: Language = deepFreeze({
  name: 'postgres',
  worker: 'postgres/worker.js',
  assets: [
    { name: 'engine', file: 'postgres/pglite.wasm', form: 'module' },
    { name: 'bundle', file: 'postgres/pglite.data', form: 'bytes' },
    { name: 'template', file: 'postgres/template.bin', form: 'bytes' },
  ],
  // it was built to begin with this much
  leastMemoryBytes: 128 * 2 ** 20,
  refuseName: refusePostgresName,
  capabilities: {
    hasVariables: true,
    hasFiles: true,
    hasImports: false,
    hasDisplays: true,
    hasSubmit: false,
    isRenewable: false,
    keepsTime: false,
  },
  settings: {},
});
