/** What an interpreter is made of, fetched by the page: the frame itself can fetch nothing. */
import { fetchAsset } from '../../../platform/index.ts';
import type { SandboxFiles } from '../../sandbox/sandbox-host.ts';
import { capWasmMemory } from './wasm-memory.ts';

export interface AssetLocation {
  /** Where `public/python/` is served, relative to the page; a slash at the end is added when missing. */
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

/** Everything a frame needs; rejects with `platform/asset-failed` or `executor/wasm-invalid`. */
export async function fetchSandboxFiles(
  location: AssetLocation,
  memoryBytes: number,
  signal: AbortSignal,
): Promise<SandboxFiles> {
  const [wasm, standardLibrary, worker] = await Promise.all([
    fetchAsset(assetUrl(location, 'pyodide.wasm'), { signal }),
    fetchAsset(assetUrl(location, 'standard-library.zip'), { signal }),
    fetchScript(location, 'worker.js', signal),
  ]);
  return { wasm: capWasmMemory(wasm, memoryBytes), standardLibrary, worker };
}
