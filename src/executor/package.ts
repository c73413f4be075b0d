/** Packages that a guest gets: as bytes that the page hands over, or by name from an index that the page names. */
import type { PackageCache } from './package-cache.ts';

/** A package that the page has as bytes. */
export interface HandedPackage {
  readonly wheel: Uint8Array;
  /** What it must be; default: whatever it says it is. */
  readonly name?: string;
  /** Installed alone, though it says that it needs others. Default: false. */
  readonly isWithoutDependencies?: boolean;
}

/** A wheel; or a requirement as people write it: `six`, `attrs>=25`, `rich[jupyter]==14.*; python_version > "3.9"`. */
export type PackageRequest = string | HandedPackage;

/**
 * Where packages come from by name. The page fetches them: the guest has no network. Policy and hashes decide what is installed; whoever owns the
 * index decides what the code of a package is, and learns the names that a guest asks for as far as the policy allows them.
 */
export interface PackageIndex {
  /**
   * `pyodide-lock`: a `pyodide-lock.json`, whose packages are made for this interpreter. `simple`: what pip reads (PEP 691, or PEP 503 with
   * hashes); only its wheels for any platform, or for this one.
   */
  readonly form: 'pyodide-lock' | 'simple';
  /** Of the lock file, or of the folder of all packages: `https://index.example/simple/`. Relative to the page. */
  readonly url: string;
  /** `pyodide-lock`: where its files are. Default: beside it. */
  readonly packageBaseUrl?: string;
  /** `pyodide-lock`: SHA-256 of the lock file, as hex; then no other is believed. Default: whatever the address answers. */
  readonly lockSha256?: string;
  /** Other origins that files may be fetched from, such as `https://files.example`. Default: the index's own alone. */
  readonly fileOrigins?: readonly string[];
  /** Install also what the index names no SHA-256 of. Default: false. */
  readonly allowsMissingHash?: boolean;
  /** Where files and lists are kept for when there is no network: `openPackageCache()`. Default: nowhere. */
  readonly cache?: PackageCache;
  /** Default: the platform's. It must honour `redirect`, `credentials` and `signal`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}
