/** The face of the compute worker, as both sides of comlink see it. */
import type { WireError } from '../port/index.ts';
import type { StampedEvent } from '../telemetry/index.ts';
import type { AnalysisProgress } from './linalg/matrix-analysis.ts';
import type { Answers, ComputeRequest, RequestType, WorkerSettings } from './request.ts';

/** Errors travel as data: comlink alone would strip their code and fields. */
export type Reply =
  | { readonly ok: true; readonly value: Answers[RequestType] }
  | { readonly ok: false; readonly error: WireError };

export interface ComputeService {
  /** Answers once the worker holds `lockName`, which the browser frees when the worker is gone. */
  start(
    lockName: string,
    settings: WorkerSettings,
    onEvent: (event: StampedEvent) => void | Promise<void>,
  ): Promise<void>;
  run(request: ComputeRequest, onProgress?: (progress: AnalysisProgress) => void): Promise<Reply>;
}
