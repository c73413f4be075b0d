/** TypeScript, as the page knows it: JavaScript whose types are taken off in the worker. Types are not checked. */
import { deepFreeze } from '../../../base/index.ts';
import { javascript } from '../javascript/javascript.ts';
import type { Language } from '../language.ts';

export const typescript: Language = deepFreeze({
  ...javascript,
  name: 'typescript',
  worker: 'typescript/worker.js',
});
