/**
 * Workers start here. Bundlers find a worker only by the literal `new Worker(new URL(…), …)`, so that expression stays
 * in a `spawn-*.ts` file beside the worker, or in the user's own code, and is handed in as a function.
 */
import { CodedError, messageOf } from '../base/index.ts';

export type CreateWorker = () => Worker;

export const hasWorkers: boolean = typeof Worker !== 'undefined';

/** Starts a worker; a constructor that throws becomes `platform/worker-failed`. */
export function spawnWorker(create: CreateWorker): Worker {
  try {
    return create();
  } catch (error) {
    throw new CodedError('platform/worker-failed', `the worker could not be created: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
