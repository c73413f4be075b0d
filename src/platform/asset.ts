/** Loads files of ours that are served beside the page: wasm, standard libraries, worker sources. */
import { CodedError, messageOf } from '../base/index.ts';
import { readWhole } from './read-whole.ts';

export interface AssetOptions {
  readonly signal?: AbortSignal;
  /** Default 64 MiB. The largest file of ours has 10 MB. */
  readonly maxSizeBytes?: number;
}

const maxSizeBytesDefault = 64 * 2 ** 20;

function failed(url: string, why: string, isRetryable: boolean, cause?: unknown): CodedError {
  return new CodedError('platform/asset-failed', `${url} could not be loaded: ${why}`, {
    fields: { url, why },
    isRetryable,
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * The bytes of `url`. Rejects with `platform/asset-failed`: not reachable, a status other than 2xx, a page of HTML where a file was
 * expected (a host's fallback page), or larger than `maxSizeBytes`. An aborted `signal` rejects with its reason.
 */
export async function fetchAsset(url: string, options: AssetOptions = {}): Promise<ArrayBuffer> {
  const { signal, maxSizeBytes = maxSizeBytesDefault } = options;
  const response = await fetch(url, { signal: signal ?? null, credentials: 'same-origin' }).catch(
    (error: unknown) => {
      throw signal?.aborted ? error : failed(url, messageOf(error), true, error);
    },
  );
  if (!response.ok) throw failed(url, `status ${response.status}`, response.status >= 500);
  if (response.headers.get('content-type')?.startsWith('text/html') && !url.endsWith('.html')) {
    throw failed(url, 'the server answered with a page instead of the file', false);
  }
  const statedBytes = statedLength(response);
  const check = (sizeBytes: number): void => {
    if (sizeBytes > maxSizeBytes) throw failed(url, `it is larger than ${maxSizeBytes} bytes`, false);
  };
  if (statedBytes === undefined) return (await readWhole(response.body, check)).buffer;
  check(statedBytes);
  return response.arrayBuffer();
}

/**
 * What the body has, where that is known before: the platform lets none be longer than its header says. It is then read in one go, not in
 * hundreds of pieces.
 */
function statedLength({ headers }: Response): number | undefined {
  // the header counts what came over the wire
  if (headers.has('content-encoding')) return undefined;
  const stated = headers.get('content-length');
  return stated !== null && /^\d+$/u.test(stated) ? Number(stated) : undefined;
}
