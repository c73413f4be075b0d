/** `vivarium/worker`: what a worker entry needs. */
export { serve } from './runtime/index.ts';
export type {
  Metrics,
  ModuleClass,
  ModuleImportOptions,
  Modules,
  OptimizerFactory,
  Optimizers,
  Served,
  ServeOptions,
} from './runtime/index.ts';
