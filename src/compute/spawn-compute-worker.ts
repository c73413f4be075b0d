/** The literal by which bundlers find the compute worker. */
export const spawnComputeWorker = (): Worker =>
  new Worker(new URL('./compute.worker.ts', import.meta.url), { type: 'module', name: 'compute' });
