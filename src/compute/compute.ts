/** The numeric core as the rest of the system uses it: heavy work in its own worker, every call with an end. */
import { CodedError } from '../base/index.ts';
import { hasLocks, hasWorkers, systemClock, withDeadline } from '../platform/index.ts';
import type { Clock, CreateWorker } from '../platform/index.ts';
import { silentHub } from '../telemetry/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { ComputeClient } from './compute-client.ts';
import type { CallOptions } from './compute-client.ts';
import type { QueueLimits } from './call-queue.ts';
import { createDevice } from './device.ts';
import type { Device } from './device.ts';
import { openDevice } from './device/open-device.ts';
import type { DevicePreference } from './device/select-device.ts';
import type { WasmUrls } from './device/wasm-urls.ts';
import { callTimeoutMs } from './limits.ts';
import type { MatrixAnalysis } from './linalg/matrix-analysis.ts';
import type { MatrixInput } from './linalg/matrix.ts';
import { toMatrix } from './linalg/matrix.ts';
import { answerRequest } from './request.ts';
import type { AnalysisOptions, Answers, DeviceState, RequestOf, RequestType } from './request.ts';
import { operands } from './operation.ts';
import { spawnComputeWorker } from './spawn-compute-worker.ts';
import { toTable } from './statistics/column.ts';
import type { TableInput } from './statistics/column.ts';
import type { Correlation, CorrelationOptions } from './statistics/correlation.ts';
import type { ColumnStatistics, StatisticsOptions } from './statistics/describe.ts';

export interface ComputeOptions {
  /** Device for tensors; default 'auto': webgpu on hardware, else wasm, else cpu. */
  readonly prefer?: DevicePreference;
  readonly hub?: Hub;
  readonly clock?: Clock;
  /** Bounds of calls that wait for the worker. */
  readonly limits?: QueueLimits;
  /** Where tfjs' .wasm files are, when the bundler does not understand `?url` imports. */
  readonly wasmUrls?: WasmUrls;
  /** Operands and result of one tensor operation; default 2,000 MB. */
  readonly memoryLimitBytes?: number;
  /** Starts the worker; for hosts that place its script elsewhere. */
  readonly createWorker?: CreateWorker;
}

/**
 * Every call may also fail with `compute/queue-full`, `compute/worker-died` (both retryable), `port/timeout`,
 * `port/cancelled` and `compute/closed`.
 */
export interface Compute extends AsyncDisposable {
  /** The device for tensors, in the worker. Errors: `compute/device-unavailable`. */
  device(options?: CallOptions): Promise<Device>;
  /** As the function of the same name, in the worker. */
  matrixAnalysis(input: MatrixInput, options?: AnalysisOptions & CallOptions): Promise<MatrixAnalysis>;
  statistics(
    columns: TableInput,
    options?: StatisticsOptions & CallOptions,
  ): Promise<Record<string, ColumnStatistics>>;
  correlation(columns: TableInput, options?: CorrelationOptions & CallOptions): Promise<Correlation>;
}

interface Input {
  readonly bytes: number;
  readonly transferables?: readonly Transferable[];
}

/** Sends requests to the worker, or answers them here. */
interface Caller {
  call<T extends RequestType>(
    request: RequestOf<T>,
    input: Input,
    options?: CallOptions,
  ): Promise<Answers[T]>;
  close(): void | Promise<void>;
}

/**
 * Where there are no workers (Node), the caller's own realm answers. Limits of time hold between operations only:
 * plain arithmetic cannot be stopped from inside its thread.
 */
function createLocalCaller(options: ComputeOptions, clock: Clock): Caller {
  let device: Promise<Device> | undefined;
  let isClosed = false;
  const shared = (): Promise<Device> => {
    if (!device) {
      device = openDevice(options);
      // a refused device may be there next time
      device.catch(() => (device = undefined));
    }
    return device;
  };
  return {
    call(request, _input, { timeoutMs = callTimeoutMs, signal, onProgress } = {}) {
      if (isClosed) return Promise.reject(new CodedError('compute/closed', 'the compute service was closed'));
      const context = { device: shared, onProgress };
      return withDeadline(clock, { timeoutMs, signal }, () => answerRequest(request, context)) as never;
    },
    async close() {
      isClosed = true;
      const opened = await device?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

function createWorkerCaller(options: ComputeOptions, clock: Clock): Caller {
  const { prefer = 'auto', wasmUrls, memoryLimitBytes, limits, hub = silentHub } = options;
  const createWorker = options.createWorker ?? spawnComputeWorker;
  return new ComputeClient({
    createWorker,
    settings: { prefer, wasmUrls, memoryLimitBytes },
    hub,
    clock,
    limits,
  });
}

/** A device whose operations cross to the caller's other side. */
async function remoteDevice(
  caller: Caller,
  memoryLimitBytes: number | undefined,
  options?: CallOptions,
): Promise<Device> {
  const { dtypes, ...opened } = await caller.call<'device-open'>(
    { type: 'device-open' },
    { bytes: 0 },
    options,
  );
  let state: DeviceState = opened;
  return createDevice(
    {
      dtypes,
      get kind() {
        return state.kind;
      },
      get reason() {
        return state.reason;
      },
      async execute(operation) {
        const bytes = operands(operation).reduce((sum, { data }) => sum + data.byteLength, 0);
        const answer = await caller.call<'operation-run'>({ type: 'operation-run', operation }, { bytes });
        state = answer.device;
        return answer.result.data;
      },
      memory: () => caller.call<'memory-read'>({ type: 'memory-read' }, { bytes: 0 }),
      // the worker's device is shared and goes with the worker
      dispose: async () => undefined,
    },
    memoryLimitBytes,
  );
}

/** The caller's table as our own float64 copies, which may move to the worker. */
function tableInput(input: TableInput): { columns: Record<string, Float64Array<ArrayBuffer>> } & Input {
  const { names, columns } = toTable(input);
  return {
    columns: Object.fromEntries(names.map((name, i) => [name, columns[i]!])) as Record<
      string,
      Float64Array<ArrayBuffer>
    >,
    bytes: columns.reduce((sum, column) => sum + column.byteLength, 0),
    transferables: columns.map((column) => column.buffer as ArrayBuffer),
  };
}

const callOptionsOf = ({ timeoutMs, signal, onProgress }: CallOptions): CallOptions => ({
  timeoutMs,
  signal,
  onProgress,
});

/**
 * The numeric core behind a worker that starts at the first call and again after it was lost. Input is checked
 * before it is sent. Dispose it to end the worker.
 */
export function createCompute(options: ComputeOptions = {}): Compute {
  const clock = options.clock ?? systemClock;
  const caller =
    hasWorkers && hasLocks ? createWorkerCaller(options, clock) : createLocalCaller(options, clock);
  return {
    device: (call) => remoteDevice(caller, options.memoryLimitBytes, call),
    async matrixAnalysis(input, { tolerance, relativeTolerance, symmetryTolerance, ...call } = {}) {
      const matrix = toMatrix(input, { square: true });
      const request = {
        type: 'matrix-analyse',
        matrix,
        options: given({ tolerance, relativeTolerance, symmetryTolerance }),
      } as const;
      const transferables = [matrix.data.buffer as ArrayBuffer];
      return caller.call<'matrix-analyse'>(
        request,
        { bytes: matrix.data.byteLength, transferables },
        callOptionsOf(call),
      );
    },
    async statistics(input, { ddof, bias, quantiles, missing, ...call } = {}) {
      const { columns, ...sizes } = tableInput(input);
      const request = {
        type: 'statistics-compute',
        columns,
        options: given({ ddof, bias, quantiles, missing }),
      } as const;
      return caller.call<'statistics-compute'>(request, sizes, callOptionsOf(call));
    },
    async correlation(input, { ddof, missing, ...call } = {}) {
      const { columns, ...sizes } = tableInput(input);
      const request = { type: 'correlation-compute', columns, options: given({ ddof, missing }) } as const;
      return caller.call<'correlation-compute'>(request, sizes, callOptionsOf(call));
    },
    async [Symbol.asyncDispose]() {
      await caller.close();
    },
  };
}

/** The members that are not undefined. */
function given<T extends object>(members: { [K in keyof T]: T[K] | undefined }): { [K in keyof T]?: T[K] } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}
