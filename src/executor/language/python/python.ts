/** Python, as the page knows it. */
import { deepFreeze } from '../../../base/index.ts';
import type { Language } from '../language.ts';
import { pythonKey } from './python-key.ts';
import { refusePythonModule, refusePythonName } from './python-name.ts';

export const python: Language = deepFreeze({
  name: 'python',
  worker: 'python/worker.js',
  assets: [
    { name: 'interpreter', file: 'python/pyodide.wasm', form: 'module', isMemoryCapped: true },
    { name: 'standard-library', file: 'python/standard-library.zip', form: 'bytes' },
  ],
  hasSnapshots: true,
  leastMemoryBytes: 64 * 2 ** 20,
  normalName: (name) => name.normalize('NFKC'),
  refuseName: refusePythonName,
  refuseImport: refusePythonModule,
  identifyKey: pythonKey,
  capabilities: {
    hasVariables: true,
    hasFiles: true,
    hasImports: true,
    hasTools: true,
    hasEnvironment: true,
    hasWorkingDirectory: true,
    hasDisplays: true,
    hasSubmit: true,
    hasSubmitFields: true,
    hasPackages: true,
    hasDeniedNames: true,
    isRenewable: false,
    isRestorable: true,
    keepsTime: true,
  },
  loadPackages: async (options) => {
    const { WheelLoader } = await import('./package/package-loader.ts');
    return new WheelLoader(options);
  },
  settings: {},
});
