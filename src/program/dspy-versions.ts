/** The DSPy whose files are read and written. */

/** Versions that a file says it was written with. DSPy warns about differences and refuses names that it does not know. */
export interface DspyVersions {
  readonly python: string;
  readonly dspy: string;
  readonly cloudpickle: string;
}

/** What is written unless said otherwise. */
export const dspyVersions: DspyVersions = { python: '3.11', dspy: '3.3.1', cloudpickle: '3.1' };
