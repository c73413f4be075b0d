/** Digests of bytes. The only place that hashes. */
import { CodedError } from '../base/index.ts';

/**
 * SHA-256 as lower-case hex.
 * @throws `platform/digest-unavailable` in an insecure context, where the platform has no WebCrypto
 */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // absent in insecure contexts, whatever the types say
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) {
    throw new CodedError('platform/digest-unavailable', 'SHA-256 needs a secure context: https or localhost');
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
