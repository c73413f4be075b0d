/** Loaded when the first package is asked for: opens wheels, asks the index, and packs everything for the guest. */
import { CodedError, isCodedError, joinBytes } from '../../../../base/index.ts';
import { withDeadline } from '../../../../platform/index.ts';
import type { Clock } from '../../../../platform/index.ts';
import type { ExecutorLimits } from '../../../limits.ts';
import type { PackageRequest } from '../../../package.ts';
import type { Policy } from '../../../policy/policy.ts';
import type {
  PackageLoader,
  PackageLoaderOptions,
  PackageQuestion,
  PackedPackages,
} from '../../package-loading.ts';
import type { IndexReader } from './candidate.ts';
import { openIndex } from './open-index.ts';
import type { OpenWheel, PackageFile } from './read-wheel.ts';
import { normalizeName } from './package-name.ts';
import { Resolution } from './resolve.ts';

export class WheelLoader implements PackageLoader {
  readonly #index: IndexReader | undefined;
  readonly #limits: ExecutorLimits;
  readonly #policy: Policy;
  readonly #clock: Clock;

  constructor({ index, limits, policy, clock }: PackageLoaderOptions) {
    this.#limits = limits;
    this.#policy = policy;
    this.#clock = clock;
    this.#index = index && openIndex(index, limits, clock);
  }

  load(
    requests: readonly PackageRequest[],
    { signal, installed, budget }: PackageQuestion,
  ): Promise<PackedPackages> {
    const timeoutMs = this.#limits.packageTimeoutMs;
    return withDeadline(this.#clock, { timeoutMs, signal }, async (ended) => {
      const names = new Map([...installed].map(([name, version]) => [normalizeName(name), version] as const));
      const resolution = new Resolution({
        index: this.#index,
        policy: this.#policy,
        limits: this.#limits,
        signal: ended,
        installed: names,
        budget,
      });
      return pack(await resolution.resolve(requests));
    }).catch((error: unknown) => {
      throw isCodedError(error, 'port/timeout') ? late(timeoutMs) : error;
    });
  }
}

function late(timeoutMs: number): CodedError {
  const why = `not within ${timeoutMs} ms (limit packageTimeoutMs)`;
  return new CodedError('executor/package-unavailable', `the packages could not be had ${why}`, {
    fields: { url: '', why },
    isRetryable: true,
  });
}

async function pack(wheels: readonly OpenWheel[]): Promise<PackedPackages> {
  const files: PackageFile[] = [];
  for (const wheel of wheels) for (const file of await wheel.unpack()) files.push(file);
  const names = wheels.map(({ name }) => name);
  const header = JSON.stringify([names, files.map(({ path, content }) => [path, content.length])]);
  const content = joinBytes(files.map((file) => file.content));
  return {
    header: new TextEncoder().encode(header),
    content,
    packages: wheels.map(({ name, version }) => ({ name, version: version.text })),
  };
}
