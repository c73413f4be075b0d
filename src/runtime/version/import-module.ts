/** Module files by address: which addresses are taken, and how the classes in a file are found. */
import { CodedError, messageOf } from '../../base/index.ts';
import { systemClock, withDeadline } from '../../platform/index.ts';
import { isModuleClass } from './module-class.ts';
import type { ModuleClass } from './module-class.ts';

export interface ModuleImportOptions {
  /**
   * Origins, such as `https://modules.example`, that module files may be imported from beside the worker's own. Default none. What is
   * imported runs with all the rights of the page: list only origins whose every file you trust.
   * Where their servers redirect to is not checked: a page's `script-src` bounds that.
   */
  readonly importOrigins?: readonly string[];
  /** Imports the file at an address that was allowed. Default `import(url)`. */
  readonly importModule?: (url: string) => Promise<unknown>;
}

export interface ImportRequest {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

// bundlers must leave it to the browser: the address is known when it is asked for
const importUrl = (url: string): Promise<unknown> => import(/* @vite-ignore */ url);

const ownOrigin = (): string | undefined => (globalThis.location as Location | undefined)?.origin;

function urlRefused(url: string, reason: string, fields: { allowed?: string[] } = {}): CodedError {
  const shown = url.slice(0, 200);
  return new CodedError('runtime/module-url-refused', `module file "${shown}" is refused: ${reason}`, {
    fields: { url: shown, reason, ...fields },
  });
}

function parseUrl(url: string, base?: string): URL {
  try {
    return new URL(url, base);
  } catch {
    throw urlRefused(url, 'it is no address');
  }
}

/** A relative address, as the page means it. @throws `runtime/module-url-refused` for what is no address */
export function toAbsoluteUrl(url: string | URL): string {
  const { document, location } = globalThis as { document?: Document; location?: Location };
  return parseUrl(String(url), document?.baseURI ?? location?.href).href;
}

/** @throws `runtime/import-origin-invalid` */
function checkOrigins(origins: readonly string[]): readonly string[] {
  for (const origin of origins) {
    if (URL.canParse(origin) && new URL(origin).origin === origin && !origin.includes('*')) continue;
    throw new CodedError(
      'runtime/import-origin-invalid',
      `importOrigins has ${JSON.stringify(origin)}, expected an origin such as "https://modules.example"`,
      { fields: { origin: String(origin) } },
    );
  }
  return origins;
}

export class ModuleImporter {
  readonly #origins: readonly string[];
  readonly #import: (url: string) => Promise<unknown>;

  /** @throws `runtime/import-origin-invalid` */
  constructor({ importOrigins = [], importModule = importUrl }: ModuleImportOptions) {
    this.#origins = checkOrigins(importOrigins);
    this.#import = importModule;
  }

  /**
   * Every class of modules that the file exports.
   * @throws `runtime/module-url-refused`, `runtime/module-load-failed` (nothing there, an error in the file, no such class, too late)
   */
  async classesOf(url: string, { timeoutMs, signal }: ImportRequest): Promise<readonly ModuleClass[]> {
    this.#checkUrl(url);
    const work = async (): Promise<unknown> => this.#import(url);
    const exported = await withDeadline(systemClock, { timeoutMs, signal }, work).catch((error: unknown) => {
      throw loadFailed(url, messageOf(error), error);
    });
    const classes = new Set(Object.values(exported ?? {}).filter(isModuleClass));
    if (classes.size > 0) return [...classes];
    throw loadFailed(url, 'it exports no class that extends Module');
  }

  #checkUrl(url: string): void {
    const { protocol, origin, username, password } = parseUrl(url);
    if (protocol !== 'https:' && protocol !== 'http:')
      throw urlRefused(url, `its scheme is ${protocol.slice(0, 40)}, expected https: or http:`);
    if (username !== '' || password !== '') throw urlRefused(url, 'it has a user name or a password in it');
    const allowed = [...new Set([ownOrigin(), ...this.#origins])].filter((one) => one !== undefined);
    if (!allowed.includes(origin))
      throw urlRefused(url, `its origin ${origin} is not among importOrigins`, { allowed });
  }
}

function loadFailed(url: string, reason: string, cause?: unknown): CodedError {
  return new CodedError('runtime/module-load-failed', `module file "${url}" could not be loaded: ${reason}`, {
    fields: { url },
    ...(cause === undefined ? {} : { cause }),
  });
}
