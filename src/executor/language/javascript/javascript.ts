/** JavaScript, as the page knows it. */
import { deepFreeze } from '../../../base/index.ts';
import type { Language } from '../language.ts';
import { refuseJavaScriptName } from './javascript-name.ts';

export const javascript: Language = deepFreeze({
  name: 'javascript',
  worker: 'javascript/worker.js',
  assets: [{ name: 'interpreter', file: 'javascript/quickjs.wasm', form: 'module' }],
  leastMemoryBytes: 16 * 2 ** 20,
  refuseName: refuseJavaScriptName,
  capabilities: {
    hasVariables: true,
    hasFiles: true,
    hasImports: true,
    hasTools: true,
    hasEnvironment: true,
    hasWorkingDirectory: true,
    hasDisplays: true,
    hasSubmit: true,
    hasDeniedNames: true,
    isRenewable: true,
    isRestorable: true,
    keepsTime: true,
  },
  // measured: with more, the engine's own stack can end before the interpreter's, and the interpreter is lost
  settings: { stackBytes: 48 * 1024 },
});
