/** What is the same in all outcomes. */
import type { Outcome } from '../outcome.ts';

export type Ending = Pick<Outcome, 'stdout' | 'stderr' | 'displays' | 'durationMs' | 'isSandboxLost'>;

/** An outcome for a run that never reached an interpreter. */
export const nothingPrinted: Ending = { stdout: '', stderr: '', durationMs: 0, isSandboxLost: false };
