/** Where tfjs' WebAssembly files are. A bundler resolves these imports; other hosts hand in {@link WasmUrls} instead. */
import plainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';

/** Addresses of the two builds in use. The threaded one is never loaded: it hangs when its script was minified. */
export interface WasmUrls {
  readonly plain: string;
  readonly simd: string;
}

export const bundledWasmUrls: WasmUrls = { plain: plainUrl, simd: simdUrl };
