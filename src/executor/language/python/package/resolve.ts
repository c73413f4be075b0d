/** Finds everything that a list of requests needs. One version of each package; no way is gone back: what contradicts itself is refused. */
import { CodedError } from '../../../../base/index.ts';
import type { ExecutorLimits } from '../../../limits.ts';
import type { PackageBudget } from '../../package-budget.ts';
import type { HandedPackage, PackageRequest } from '../../../package.ts';
import { handedOrigin } from '../../../policy/check-policy.ts';
import { decide } from '../../../policy/decide.ts';
import type { Policy } from '../../../policy/policy.ts';
import type { Candidate, IndexReader } from './candidate.ts';
import { beyondLimit, packageNotFound } from './fault.ts';
import { openWheel } from './read-wheel.ts';
import type { OpenWheel } from './read-wheel.ts';
import { Pace } from './pace.ts';
import { parseRequirement, parseRequirements } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import {
  comparePythonVersions,
  fitsSpecifier,
  isPreRelease,
  parsePythonVersion,
  wantsPreReleases,
} from './version.ts';
import type { PythonVersion } from './version.ts';

export interface ResolveOptions {
  /** `undefined`: there is none, and only what is handed over can be had. */
  readonly index: IndexReader | undefined;
  readonly policy: Policy;
  readonly limits: ExecutorLimits;
  readonly signal: AbortSignal;
  /** What the guest says it has already; it deceives only itself. */
  readonly installed: ReadonlyMap<string, string>;
  /** Of the run: what is found here comes on top of what it had. */
  readonly budget: PackageBudget;
}

/** Extras of one package, whoever asks for them. */
const maxExtras = 64;
/** Requirements that hold, of all packages together. */
const maxWishes = 4096;

/** Something that is wanted, and how far from what was asked for. */
interface Wish {
  readonly requirement: Requirement;
  readonly depth: number;
}

/** What was decided for a name. `wheel` is missing where the guest has it. */
interface Pick {
  readonly version: PythonVersion;
  readonly wheel: OpenWheel | undefined;
  /** What is needed only with an extra. */
  readonly optional: readonly Requirement[];
  readonly extras: Set<string>;
  readonly depth: number;
}

export class Resolution {
  readonly #options: ResolveOptions;
  readonly #picks = new Map<string, Pick>();
  readonly #wishes: Wish[] = [];
  readonly #pace: Pace;
  #wished = 0;
  /** Of the wheels that were picked. */
  #found = { packages: 0, files: 0, sizeBytes: 0 };

  constructor(options: ResolveOptions) {
    this.#options = options;
    this.#pace = new Pace(options.signal);
    for (const [name, text] of options.installed) {
      const version = parsePythonVersion(text);
      if (version)
        this.#picks.set(name, { version, wheel: undefined, optional: [], extras: new Set(), depth: 0 });
    }
  }

  /** The wheels to install. Rejects with one of `executor/package-*`, or `executor/denied`. */
  async resolve(requests: readonly PackageRequest[]): Promise<readonly OpenWheel[]> {
    for (const [index, request] of requests.entries()) {
      if (typeof request !== 'string') await this.#takeHanded(request, `packages[${index}]`);
    }
    for (const request of requests) {
      const requirement = typeof request === 'string' ? parseRequirement(request) : undefined;
      if (requirement?.isNeeded('')) this.#want(requirement, 0);
    }
    for (let wish = this.#wishes.shift(); wish; wish = this.#wishes.shift()) await this.#serve(wish);
    this.#options.budget.take(this.#found);
    return [...this.#picks.values()].flatMap(({ wheel }) => wheel ?? []);
  }

  async #takeHanded(
    { wheel: bytes, name, isWithoutDependencies }: HandedPackage,
    label: string,
  ): Promise<void> {
    const wheel = await openWheel(bytes, { label, name }, this.#options.limits);
    this.#allow(handedOrigin, wheel.name);
    if (this.#picks.get(wheel.name)?.wheel) throw conflict(wheel.name, 'handed over', 'handed over twice');
    this.#add(wheel, isWithoutDependencies ? [] : wheel.requires, 0);
  }

  #want(requirement: Requirement, depth: number): void {
    const { packageDepth } = this.#options.limits;
    if (depth > packageDepth) throw beyondLimit('packageDepth', packageDepth, 'packages that need packages');
    this.#wished += 1;
    if (this.#wished > maxWishes) throw beyondLimit('packageWishes', maxWishes, 'requirements');
    this.#wishes.push({ requirement, depth });
  }

  async #serve({ requirement, depth }: Wish): Promise<void> {
    const { name, specifier, text } = requirement;
    await this.#pace.spend(1 + specifier.length);
    const pick = this.#picks.get(name);
    if (pick && !fitsSpecifier(pick.version, specifier)) {
      // what the guest has may be replaced by what it asks for
      if (pick.wheel) throw conflict(name, text, pick.version.text);
      this.#picks.delete(name);
    }
    if (!this.#picks.has(name)) await this.#fetch(requirement, depth);
    await this.#addExtras(requirement);
  }

  async #fetch(requirement: Requirement, depth: number): Promise<void> {
    const { name, text } = requirement;
    const { index, limits, signal } = this.#options;
    if (!index)
      throw packageNotFound(text, 'it is not among the packages handed over, and there is no index');
    this.#allow(index.origin, name);
    const candidate = await choose(
      await index.find(name, signal, (sizeBytes) => this.#countListed(sizeBytes)),
      [requirement, ...this.#waitingFor(name)],
      this.#pace,
    );
    if (!candidate)
      throw packageNotFound(text, 'the index has no wheel that fits this Python and all requirements');
    const bytes = await index.fetch(candidate, signal, (sizeBytes) => this.#countFetched(sizeBytes));
    const { version, fileName, dependsOn } = candidate;
    const wheel = await openWheel(bytes, { label: fileName, name, version }, limits);
    this.#add(wheel, dependsOn ? await parseRequirements(dependsOn, this.#pace) : wheel.requires, depth);
  }

  /** What else is known so far to be asked of a name. */
  #waitingFor(name: string): readonly Requirement[] {
    return this.#wishes
      .filter(({ requirement }) => requirement.name === name)
      .map(({ requirement }) => requirement);
  }

  #allow(origin: string, name: string): void {
    const { isAllowed, rule } = decide(this.#options.policy, { permission: 'package', origin, name });
    if (isAllowed) return;
    throw new CodedError('executor/denied', `the policy denies the package ${name}`, {
      fields: { permission: 'package', name, rule },
    });
  }

  #add(wheel: OpenWheel, requires: readonly Requirement[], depth: number): void {
    const optional = requires.filter(({ isNeeded }) => !isNeeded(''));
    this.#picks.set(wheel.name, { version: wheel.version, wheel, optional, extras: new Set(), depth });
    this.#count(wheel);
    for (const requirement of requires) {
      if (requirement.isNeeded('')) this.#want(requirement, depth + 1);
    }
  }

  /** What the guest says it has counts for nothing: it may say anything. */
  #count({ fileCount, sizeBytes }: OpenWheel): void {
    const { limits, budget } = this.#options;
    const { packages, packageBytes, packageFiles } = limits;
    const { used } = budget;
    const found = this.#found;
    found.packages += 1;
    found.files += fileCount;
    found.sizeBytes += sizeBytes;
    if (used.packages + found.packages > packages) throw beyondLimit('packages', packages, 'packages');
    if (used.sizeBytes + found.sizeBytes > packageBytes)
      throw beyondLimit('packageBytes', packageBytes, 'bytes of packages');
    if (used.files + found.files > packageFiles)
      throw beyondLimit('packageFiles', packageFiles, 'files of packages');
  }

  /** Also of pages that came to nothing: a guest asks for as many as it likes. */
  #countListed(sizeBytes: number): void {
    const { limits, budget } = this.#options;
    budget.takeListed(sizeBytes);
    if (budget.listedBytes > limits.packageListBytes)
      throw beyondLimit('packageListBytes', limits.packageListBytes, 'bytes of pages of an index');
  }

  /** One file more than there can be room for; what was fetched and not used counts, too. */
  #countFetched(sizeBytes: number): void {
    const { limits, budget } = this.#options;
    const allowed = limits.packageBytes + limits.packageDownloadBytes;
    budget.takeFetched(sizeBytes);
    if (budget.fetchedBytes > allowed)
      throw beyondLimit('packageFetchedBytes', allowed, 'bytes fetched for packages');
  }

  /** An extra is more requirements of the same package. */
  async #addExtras({ name, extras }: Requirement): Promise<void> {
    const pick = this.#picks.get(name);
    for (const extra of extras) {
      if (!pick || pick.extras.has(extra)) continue;
      if (pick.extras.size >= maxExtras) throw beyondLimit('packageExtras', maxExtras, `extras of ${name}`);
      pick.extras.add(extra);
      await this.#pace.spend(pick.optional.length);
      for (const requirement of pick.optional) {
        if (requirement.isNeeded(extra)) this.#want(requirement, pick.depth + 1);
      }
    }
  }
}

function conflict(name: string, requirement: string, found: string): CodedError {
  return new CodedError('executor/package-conflict', `${name}: ${requirement} does not go with ${found}`, {
    fields: { name, requirement: requirement.slice(0, 200), found },
  });
}

/** The newest that fits; a pre-release only where one is asked for, or there is nothing else; a withdrawn one only when it is named exactly. */
async function choose(
  candidates: readonly Candidate[],
  requirements: readonly Requirement[],
  pace: Pace,
): Promise<Candidate | undefined> {
  const specifiers = requirements.map(({ specifier }) => specifier);
  const clauses = specifiers.flat();
  const isExact = clauses.some(({ operator, isPrefix }) => /^={2,3}$/u.test(operator) && !isPrefix);
  const isOpen = wantsPreReleases(clauses);
  let best: Candidate | undefined;
  let wanted: Candidate | undefined;
  for (const candidate of candidates) {
    await pace.spend(1 + clauses.length);
    const isOffered = !candidate.isYanked || isExact;
    if (!isOffered || !fitsSpecifier(candidate.version, clauses)) continue;
    best = better(best, candidate);
    if (isOpen || !isPreRelease(candidate.version)) wanted = better(wanted, candidate);
  }
  return wanted ?? best;
}

function better(one: Candidate | undefined, other: Candidate): Candidate {
  if (!one) return other;
  const order = comparePythonVersions(one.version, other.version) || other.rank - one.rank;
  return order < 0 ? other : one;
}
