/** A database that nobody has used, as the build packs it: how many bytes its list has, the list, and its files. */
import { inflateBytes } from '../../../../platform/index.ts';

/** A file of a database; a folder's path ends with a slash. */
export interface TemplateFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** The template has some 15 MB, and 3 where it is packed. */
const maxBytes = 64 * 2 ** 20;

export async function openTemplate(packed: ArrayBuffer): Promise<readonly TemplateFile[]> {
  const bytes = await inflateBytes(new Uint8Array(packed), 'gzip', maxBytes);
  const listBytes = new DataView(bytes.buffer).getUint32(0);
  const list = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + listBytes))) as [string, number][];
  let at = 4 + listBytes;
  return list.map(([path, sizeBytes]) => {
    const content = bytes.subarray(at, at + sizeBytes);
    at += sizeBytes;
    return { path, content };
  });
}
