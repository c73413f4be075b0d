/** What the browser says about this origin's storage. The only place that touches `navigator.storage`. */
import { CodedError } from '../base/index.ts';

export interface StorageEstimate {
  /** Bytes used by the whole origin; undefined where the platform does not say. */
  readonly usageBytes: number | undefined;
  /** Bytes the origin may use; undefined where the platform does not say. */
  readonly quotaBytes: number | undefined;
  /** Whether the browser promised not to evict this origin under storage pressure. */
  readonly isPersisted: boolean;
}

const unknown: StorageEstimate = { usageBytes: undefined, quotaBytes: undefined, isPersisted: false };

function manager(): StorageManager | undefined {
  // absent in Node and in insecure contexts, whatever the types say
  return typeof navigator === 'undefined' ? undefined : (navigator.storage as StorageManager | undefined);
}

/** Use, quota and persistence as of now. Never rejects: what cannot be learnt is undefined. */
export async function estimateStorage(): Promise<StorageEstimate> {
  const storage = manager();
  if (!storage) return unknown;
  try {
    const [estimate, isPersisted] = await Promise.all([storage.estimate(), storage.persisted()]);
    return { usageBytes: estimate.usage, quotaBytes: estimate.quota, isPersisted };
  } catch {
    return unknown;
  }
}

/** Asks that this origin is not evicted; answers whether that is promised. A refusal is normal. Never rejects. */
export async function persistStorage(): Promise<boolean> {
  try {
    return (await manager()?.persist()) ?? false;
  } catch {
    return false;
  }
}

/**
 * The root of the origin's private file system (OPFS). Rejects with what the platform says where it is refused.
 * @throws `platform/files-unavailable` where there is none, as in Node and in insecure contexts
 */
export async function openOriginFolder(): Promise<FileSystemDirectoryHandle> {
  const storage = manager() as Partial<StorageManager> | undefined;
  if (!storage?.getDirectory) {
    throw new CodedError('platform/files-unavailable', 'this realm has no private file system');
  }
  return storage.getDirectory();
}
