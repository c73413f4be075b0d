/** Starts WebAssembly in its worker, with or without the text format. */
import type { StartEngine } from '../../../guest/engine.ts';
import { stripGlobals } from '../../../guest/strip-globals.ts';
import type { WasmParts } from './wasm-engine.ts';
import { WasmEngine } from './wasm-engine.ts';

type CompileText = NonNullable<WasmParts['compileText']>;

export function startWasm(createCompiler?: () => Promise<CompileText>): StartEngine {
  return async ({ settings, interrupt }, output) => {
    const { memoryBytes, fileBytes } = settings;
    // before the globals go: a compiler may need some of them to start
    const compileText = await createCompiler?.();
    const engine = new WasmEngine({
      memoryBytes,
      fileBytes,
      interrupt,
      output,
      ...(compileText && { compileText }),
    });
    if (settings.isStripped) stripGlobals(globalThis);
    return engine;
  };
}
