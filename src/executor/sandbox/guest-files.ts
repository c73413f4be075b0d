/** What guests are made of, fetched by the page: the frame itself can fetch nothing. */
import { fetchAsset, sha256Hex } from '../../platform/index.ts';
import type { Language } from '../language/language.ts';
import type { FrameAsset } from './protocol.ts';
import type { GuestFiles } from './sandbox-host.ts';
import type * as WasmMemory from './wasm-memory.ts';

/** Where the sandbox's files are. */
export interface AssetLocation {
  /** Where `public/sandbox/` is served, relative to the page; a slash at the end is added when missing. */
  readonly baseUrl: string;
}

/** The address of one file. */
export function assetUrl(location: AssetLocation, name: string): string {
  const base = location.baseUrl.endsWith('/') ? location.baseUrl : `${location.baseUrl}/`;
  return new URL(base + name, document.baseURI).href;
}

/** The source of a script of ours; rejects with `platform/asset-failed`. */
export async function fetchScript(
  location: AssetLocation,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  return new TextDecoder().decode(await fetchAsset(assetUrl(location, name), { signal }));
}

/** Whatever else a language is made of; rejects with `platform/asset-failed` or `executor/wasm-invalid`. */
export async function fetchGuestFiles(
  language: Language,
  location: AssetLocation,
  memoryBytes: number,
  signal: AbortSignal,
): Promise<GuestFiles> {
  const files = [language.worker, ...language.assets.map(({ file }) => file)];
  const isCapping = language.assets.some(({ isMemoryCapped }) => isMemoryCapped);
  const [capping, [worker, ...contents]] = await Promise.all([
    // most languages make their memory themselves; for the others it comes with the files
    isCapping ? import('./wasm-memory.ts') : undefined,
    Promise.all(files.map((file) => fetchAsset(assetUrl(location, file), { signal }))),
  ]);
  // hashed as they came: the platform has its own copy of them by now
  const build = language.hasSnapshots ? digestOf([worker as ArrayBuffer, ...contents]) : undefined;
  const assets = language.assets.map(({ name, form, isMemoryCapped }, index): FrameAsset => {
    const content = contents[index] as ArrayBuffer;
    if (!isMemoryCapped) return { name, form, content };
    // never uncapped: without it this throws
    const { capWasmMemory } = capping as typeof WasmMemory;
    return { name, form, content: capWasmMemory(content, memoryBytes) };
  });
  return { worker: worker as ArrayBuffer, assets, build };
}

/**
 * What a snapshot is bound to; `undefined` where the page cannot hash, so that none is used. Before memories are capped: a bound changes no heap.
 * All of it is in the platform's hands when this returns.
 */
async function digestOf(contents: readonly ArrayBuffer[]): Promise<string | undefined> {
  try {
    const digests = await Promise.all(contents.map((content) => sha256Hex(new Uint8Array(content))));
    return await sha256Hex(new TextEncoder().encode(digests.join(' ')));
  } catch {
    return undefined;
  }
}
