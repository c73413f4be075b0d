/** Entry of the worker that runs SQL; bundled as one classic script. */
import { serveGuest } from '../../../guest/serve-guest.ts';
import { stripGlobals } from '../../../guest/strip-globals.ts';
import { loadSqlite } from './load-sqlite.ts';
import { SqlEngine } from './sql-engine.ts';

serveGuest(async ({ assets, settings, interrupt }, output) => {
  const sqlite = await loadSqlite(assets['engine'] as WebAssembly.Module, settings.memoryBytes);
  if (settings.isStripped) stripGlobals(globalThis);
  return new SqlEngine({ sqlite, interrupt, output });
});
