/** What guests are made of, fetched by the page: the frame itself can fetch nothing. */
import { fetchAsset } from '../../platform/index.ts';
import type { Language, LanguageAsset } from '../language/language.ts';
import type { FrameAsset } from './protocol.ts';
import type { GuestFiles } from './sandbox-host.ts';
import { capWasmMemory } from './wasm-memory.ts';

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
  const load = async ({ name, file, form, isMemoryCapped }: LanguageAsset): Promise<FrameAsset> => {
    const content = await fetchAsset(assetUrl(location, file), { signal });
    return { name, form, content: isMemoryCapped ? capWasmMemory(content, memoryBytes) : content };
  };
  const [worker, ...assets] = await Promise.all([
    fetchScript(location, language.worker, signal),
    ...language.assets.map(load),
  ]);
  return { worker, assets };
}
