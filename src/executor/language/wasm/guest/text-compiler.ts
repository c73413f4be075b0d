/** Reads the text format with WABT. */
import createWabt from 'wabt';
import { CompilerDied, TextFault } from './wasm-engine.ts';

const fileName = 'code';
/** What the browser runs and the rewriting of modules takes. */
const features = {
  exceptions: true,
  mutable_globals: true,
  sat_float_to_int: true,
  sign_extension: true,
  simd: true,
  multi_value: true,
  tail_call: true,
  bulk_memory: true,
  reference_types: true,
  extended_const: true,
} as const;

/** WABT's first complaint, with its place. */
function readFault(message: string): TextFault {
  const found = new RegExp(`${fileName}:(\\d+):(\\d+): error: ([^\\n]*)`, 'u').exec(message);
  if (!found) return new TextFault(message.split('\n', 1)[0] ?? message, null, null);
  const [, line, column, what] = found;
  return new TextFault(what as string, Number(line), Number(column));
}

/** A compiler for one guest's texts: throws {@link TextFault} or {@link CompilerDied}. */
export async function createTextCompiler(): Promise<(text: string) => Uint8Array> {
  const wabt = await createWabt();
  return (text) => {
    let module: ReturnType<typeof wabt.parseWat> | undefined;
    try {
      module = wabt.parseWat(fileName, text, features);
      module.resolveNames();
      module.validate();
      return module.toBinary({ write_debug_names: true }).buffer;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // its own stack has ended, or its memory
      if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError) {
        throw new CompilerDied('the text is nested too deep, or too large');
      }
      throw readFault(message);
    } finally {
      module?.destroy();
    }
  };
}
