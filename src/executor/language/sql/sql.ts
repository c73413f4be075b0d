/** SQL by SQLite, as the page knows it. */
import { deepFreeze } from '../../../base/index.ts';
import type { Language } from '../language.ts';
import { refuseSqlName } from './sql-name.ts';

export const sql: Language = deepFreeze({
  name: 'sql',
  worker: 'sql/worker.js',
  assets: [{ name: 'engine', file: 'sql/sqlite3.wasm', form: 'module' }],
  leastMemoryBytes: 16 * 2 ** 20,
  refuseName: refuseSqlName,
  capabilities: {
    hasVariables: true,
    hasFiles: true,
    hasImports: false,
    hasDisplays: true,
    hasSubmit: false,
    isRenewable: false,
    isRestorable: true,
    keepsTime: true,
  },
  settings: {},
});
