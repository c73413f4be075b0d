/** `vivarium/worker`: what a worker entry needs. */
export { acceptUpdates, serve } from './runtime/index.ts';
export type {
  HotContext,
  HotPayload,
  Metrics,
  ModuleClass,
  ModuleImportOptions,
  Modules,
  OptimizerFactory,
  Optimizers,
  Served,
  ServeOptions,
} from './runtime/index.ts';
