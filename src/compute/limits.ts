/** The bounds of the numeric core, named in one place. */

/** Bytes of operands and result that one device operation may hold at once: 2,000 MB. */
export const memoryLimitBytes: number = 2_000 * 1024 * 1024;

/** Entries of a matrix that is analysed: 2,048 × 2,048. The work grows with the cube of the size; beyond this it is minutes. */
export const maxMatrixEntries: number = 2_048 * 2_048;

/** Entries of one column of a table: 10 million, 80 MB in float64. */
export const maxColumnEntries: number = 10_000_000;

/** Columns of one table: a correlation matrix of 1,024 columns has a million entries. */
export const maxColumns: number = 1_024;

/** Quantile levels asked for in one call. */
export const maxQuantiles: number = 10_000;

/** Calls that wait for the compute worker; the next one is refused with `compute/queue-full`. */
export const maxQueuedCalls: number = 64;

/** Bytes of input that all waiting calls hold together: 512 MB; the next one is refused with `compute/queue-full`. */
export const maxQueuedBytes: number = 512 * 1024 * 1024;

/** How long one call to the compute worker may take, waiting included. */
export const callTimeoutMs: number = 60_000;

/** How long the compute worker may take to answer for the first time. */
export const startTimeoutMs: number = 30_000;

/** Dimensions of a tensor; the GPU kernels know no more. */
export const maxRank: number = 6;
