/** Starts JavaScript in its worker, or a language that becomes JavaScript. */
import type { StartEngine } from '../../../guest/engine.ts';
import { stripGlobals } from '../../../guest/strip-globals.ts';
import { JavaScriptEngine } from './engine.ts';
import type { Translation } from './translation.ts';

export function startJavaScript(translation: Translation): StartEngine {
  return async ({ assets, settings, interrupt }, output) => {
    const engine = await JavaScriptEngine.create({
      module: assets['interpreter'] as WebAssembly.Module,
      memoryBytes: settings.memoryBytes,
      fileBytes: settings.fileBytes,
      stackBytes: Number(settings.own['stackBytes']),
      interrupt,
      translation,
      output,
    });
    if (settings.isStripped) stripGlobals(globalThis);
    return engine;
  };
}
