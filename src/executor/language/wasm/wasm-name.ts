/** What a run of a module can be given, by name. */
import type { NameUse } from '../language.ts';

/**
 * The variables of a run: `call` (an exported function; default `_start`, else `main`), `arguments` (its numbers, or the texts that WASI's `args_get`
 * answers), `stdin` (text or bytes), `seed` (all chance comes from this whole number of 32 bits), `timeMs` (the clock starts
 * there and moves only when it is read or slept on), `fuel` (what it may do, whatever the machine: each call of a function, and each round of a loop,
 * takes the number of instructions written in it; the output `fuel` is what is left).
 */
export const wasmVariables: readonly string[] = Object.freeze([
  'call',
  'arguments',
  'stdin',
  'seed',
  'timeMs',
  'fuel',
]);

const longestName = 255;

/** What is wrong with `name`, or `undefined`. Outputs are exported globals, of any name. */
export function refuseWasmName(name: string, use: NameUse): string | undefined {
  if (name.length > longestName) return `more than ${longestName} characters`;
  if (use === 'output') return name === '' ? 'an empty name' : undefined;
  return wasmVariables.includes(name) ? undefined : `something else than ${wasmVariables.join(', ')}`;
}
