/** `vivarium/worker`: what a worker entry needs. */
export { serve } from './runtime/index.ts';
export type { Modules, Served, ServeOptions } from './runtime/index.ts';
