/** All that a runtime can do with its past, loaded by those who do. */
export { diffRuntime } from './diff-runtime.ts';
export { forkModule } from './fork-module.ts';
export { restoreRuntime } from './restore-runtime.ts';
export {
  exportRuntime,
  importRuntime,
  listRuntimeSnapshots,
  takeRuntimeSnapshot,
} from './runtime-snapshots.ts';
