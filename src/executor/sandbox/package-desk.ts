/** Gets packages for runs: those of a context before the run, those that a guest asks for while it runs. */
import { CodedError, isCodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { GuestValue } from '../guest-value.ts';
import type { Language } from '../language/language.ts';
import type { PackageLoader } from '../language/package-loading.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import type { PackageIndex } from '../package.ts';
import type { Policy } from '../policy/policy.ts';
import type { ToolCall } from '../tool.ts';
import { nothingPrinted } from './nothing-printed.ts';
import type { PreparedRun } from './prepare-run.ts';

export interface PackageDeskOptions {
  readonly language: Language;
  readonly index: PackageIndex | undefined;
  readonly limits: ExecutorLimits;
  readonly policy: Policy;
  readonly clock: Clock;
}

/** The name under which a guest asks; no tool can have it. */
export const packageService = 'micropip.install';

/** A guest asks for so many at once, of that length. */
const maxRequests = 64;
const maxTextLength = 1000;
const maxInstalled = 1000;

const never: AbortSignal = new AbortController().signal;

export class PackageDesk {
  readonly #options: PackageDeskOptions;
  #loader: Promise<PackageLoader> | undefined;

  constructor(options: PackageDeskOptions) {
    const { language, index } = options;
    this.#options = options;
    if (!index) return;
    const { form, url, packageBaseUrl } = index;
    const base = globalThis.document?.baseURI;
    if (!language.loadPackages)
      throw invalid('packageIndex', `none: ${language.name} takes no packages`, 'one');
    if (form !== 'pyodide-lock' && form !== 'simple')
      throw invalid('packageIndex.form', '"pyodide-lock" or "simple"', String(form));
    if (!URL.canParse(url, base)) throw invalid('packageIndex.url', 'an address', String(url));
    if (packageBaseUrl !== undefined && !URL.canParse(packageBaseUrl, new URL(url, base).href))
      throw invalid('packageIndex.packageBaseUrl', 'an address', String(packageBaseUrl));
  }

  /** What a guest may ask for while it runs has to be answered; without packages in its language nobody asks. */
  get isOpen(): boolean {
    return this.#options.language.loadPackages !== undefined;
  }

  /** The run with its packages, or how it ended without having begun. Rejects with one of `executor/package-*`. */
  async supply(prepared: PreparedRun, signal: AbortSignal = never): Promise<PreparedRun | Outcome> {
    const { packages, denial } = prepared.grant;
    if (packages.length === 0 || denial) return prepared;
    try {
      const loader = await this.#load();
      const { header, content } = await loader.load(packages, { signal, installed: new Map() });
      return { ...prepared, buffers: [...prepared.buffers, header.buffer, content.buffer] };
    } catch (error) {
      if (signal.aborted) return { type: 'cancelled', ...nothingPrinted };
      if (isCodedError(error, 'executor/denied')) return deniedOutcome(error);
      throw error;
    }
  }

  /** Called by the guest as `(requirements, installed)`; answers `{ header, content, packages }`. */
  async serve({ arguments: [wanted, installed], signal }: ToolCall): Promise<GuestValue> {
    const requests = readTexts(wanted, maxRequests);
    const pairs = readPairs(installed);
    const loader = await this.#load();
    const { header, content, packages } = await loader.load(requests, { signal, installed: new Map(pairs) });
    return { header, content, packages: packages.map(({ name, version }) => [name, version]) };
  }

  #load(): Promise<PackageLoader> {
    const { language, index, limits, policy, clock } = this.#options;
    if (!language.loadPackages) throw invalid('packages', `none: ${language.name} takes no packages`, 'some');
    this.#loader ??= language.loadPackages({ index, limits, policy, clock }).catch((error: unknown) => {
      // a chunk that could not be fetched may come the next time
      this.#loader = undefined;
      throw error;
    });
    return this.#loader;
  }
}

function invalid(field: string, expected: string, found: string): CodedError {
  return new CodedError('executor/option-invalid', `${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

function deniedOutcome(error: CodedError): Outcome {
  const { name, rule } = error.fields as { readonly name: string; readonly rule: string };
  const where = { permission: 'package' as const, name, rule, line: null, column: null };
  return { type: 'denied', code: 'executor/denied', ...where, ...nothingPrinted };
}

function readTexts(value: GuestValue | undefined, maxCount: number): readonly string[] {
  const isSound =
    Array.isArray(value) &&
    value.length <= maxCount &&
    value.every((item: unknown) => typeof item === 'string' && item.length <= maxTextLength);
  if (isSound) return value as readonly string[];
  const expected = `at most ${maxCount} texts`;
  throw new CodedError('executor/tool-arguments-invalid', `micropip.install: expected ${expected}`, {
    fields: { field: packageService, expected },
  });
}

function readPairs(value: GuestValue | undefined): readonly (readonly [string, string])[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.slice(0, maxInstalled).map((pair) => {
    const [name = '', version = ''] = readTexts(pair as GuestValue, 2);
    return [name, version];
  });
}
