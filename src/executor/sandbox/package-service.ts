/** Loaded when the first package is asked for: checks what is asked, and hands it to what knows the language's packages. */
import { CodedError, isCodedError } from '../../base/index.ts';
import type { GuestValue } from '../guest-value.ts';
import type { PackageBudget } from '../language/package-budget.ts';
import type { PackageLoader } from '../language/package-loading.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Outcome } from '../outcome.ts';
import type { PackageRequest } from '../package.ts';
import type { ToolCall } from '../tool.ts';
import { nothingPrinted } from './nothing-printed.ts';
import type { PackageDeskOptions } from './package-desk.ts';
import type { PreparedRun } from './prepare-run.ts';

/** A guest asks for so many at once, of that length. */
const maxRequests = 64;
const maxTextLength = 1000;
const maxInstalled = 1000;

export class PackageService {
  readonly #options: PackageDeskOptions;
  #loader: Promise<PackageLoader> | undefined;

  constructor(options: PackageDeskOptions) {
    this.#options = options;
  }

  /** The run with its packages, or how it ended without having begun. Rejects with one of `executor/package-*`. */
  async supply(prepared: PreparedRun, signal: AbortSignal): Promise<PreparedRun | Outcome> {
    const { packageBudget: budget } = prepared.grant;
    const packages = checkPackages(prepared.grant.packages, this.#options.limits);
    try {
      const loader = await this.#load();
      const { header, content } = await loader.load(packages, { signal, installed: new Map(), budget });
      return { ...prepared, buffers: [...prepared.buffers, header.buffer, content.buffer] };
    } catch (error) {
      if (isCodedError(error, 'executor/denied')) return deniedOutcome(error);
      throw error;
    }
  }

  /** Called by the guest as `(requirements, installed)`; answers `{ header, content, packages }`. */
  async serve(
    { arguments: [wanted, installed], signal }: ToolCall,
    budget: PackageBudget,
  ): Promise<GuestValue> {
    const requests = readTexts(wanted, maxRequests);
    const question = { signal, installed: new Map(readPairs(installed)), budget };
    const loader = await this.#load();
    // one after another: what one takes, the next one has not
    const { header, content, packages } = await budget.inTurn(() => loader.load(requests, question));
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
    fields: { field: 'micropip.install', expected },
  });
}

function readPairs(value: GuestValue | undefined): readonly (readonly [string, string])[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.slice(0, maxInstalled).map((pair) => {
    const [name = '', version = ''] = readTexts(pair as GuestValue, 2);
    return [name, version];
  });
}

function wrongPackage(field: string, expected: string, found: string): CodedError {
  return new CodedError('executor/package-invalid', `${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

function beyond(limit: 'packages' | 'packageDownloadBytes', allowed: number, field: string): CodedError {
  return new CodedError('executor/package-limit', `${field}: more than ${allowed} (limit ${limit})`, {
    fields: { limit, allowed },
  });
}

function checkPackage(request: PackageRequest, field: string, maxBytes: number): PackageRequest {
  if (typeof request === 'string') return request;
  const isObject = typeof request === 'object' && request !== null;
  if (!isObject) throw wrongPackage(field, 'a requirement or { wheel }', typeof request);
  const { wheel, name, isWithoutDependencies = false } = request;
  if (!(wheel instanceof Uint8Array)) throw wrongPackage(`${field}.wheel`, 'bytes', typeof wheel);
  if (name !== undefined && typeof name !== 'string')
    throw wrongPackage(`${field}.name`, 'a name', typeof name);
  if (wheel.length > maxBytes) throw beyond('packageDownloadBytes', maxBytes, `${field}.wheel`);
  return {
    wheel,
    isWithoutDependencies: isWithoutDependencies === true,
    ...(name === undefined ? {} : { name }),
  };
}

/** What the wheels are is seen later. Throws `executor/package-invalid` or `executor/package-limit`. */
function checkPackages(
  packages: readonly PackageRequest[],
  limits: ExecutorLimits,
): readonly PackageRequest[] {
  if (!Array.isArray(packages)) throw wrongPackage('packages', 'a list', typeof packages);
  const requests: readonly PackageRequest[] = packages;
  if (requests.length > limits.packages) throw beyond('packages', limits.packages, 'packages');
  return requests.map((request, index) =>
    checkPackage(request, `packages[${index}]`, limits.packageDownloadBytes),
  );
}
