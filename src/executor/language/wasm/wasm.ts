/**
 * WebAssembly, as the page knows it: `wasm` takes binary modules; `wat` takes them too, and the text format, for which it brings a compiler of
 * 220 kB (compressed).
 */
import { deepFreeze } from '../../../base/index.ts';
import type { Language } from '../language.ts';
import { wasmPageBytes } from '../../wasm-format.ts';
import { refuseWasmName } from './wasm-name.ts';

const common = {
  assets: [],
  leastMemoryBytes: wasmPageBytes,
  refuseName: refuseWasmName,
  settings: {},
} as const;

const capabilities = {
  hasVariables: true,
  hasFiles: true,
  hasImports: false,
  hasEnvironment: true,
  hasWorkingDirectory: true,
  hasSubmit: false,
  isRenewable: true,
  isRestorable: true,
  keepsTime: false,
} as const;

export const wasm: Language = deepFreeze({
  ...common,
  name: 'wasm',
  worker: 'wasm/worker.js',
  codeForm: 'bytes',
  capabilities,
});

export const wat: Language = deepFreeze({
  ...common,
  name: 'wat',
  worker: 'wasm/text-worker.js',
  codeForm: 'either',
  // the compiler has read a guest's text: no other guest's goes through the same one
  capabilities: { ...capabilities, isRenewable: false },
});
