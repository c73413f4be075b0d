/** Entry of the worker that runs Postgres; bundled as one classic script. */
import { serveGuest } from '../../../guest/serve-guest.ts';
import { stripGlobals } from '../../../guest/strip-globals.ts';
import { PostgresEngine } from './postgres-engine.ts';
import { openTemplate } from './template.ts';

serveGuest(async ({ assets, settings, interrupt }, output) => {
  const engine = await PostgresEngine.create({
    engine: assets['engine'] as WebAssembly.Module,
    bundle: assets['bundle'] as ArrayBuffer,
    template: await openTemplate(assets['template'] as ArrayBuffer),
    memoryBytes: settings.memoryBytes,
    fileBytes: settings.fileBytes,
    interrupt,
    output,
  });
  if (settings.isStripped) stripGlobals(globalThis);
  return engine;
});
