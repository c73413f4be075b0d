/** Finds everything that a list of requests needs. One version of each package; no way is gone back: what contradicts itself is refused. */
import { CodedError } from '../../../../base/index.ts';
import type { ExecutorLimits } from '../../../limits.ts';
import type { HandedPackage, PackageRequest } from '../../../package.ts';
import { handedOrigin } from '../../../policy/check-policy.ts';
import { decide } from '../../../policy/decide.ts';
import type { Policy } from '../../../policy/policy.ts';
import type { Candidate, IndexReader } from './candidate.ts';
import { beyondLimit, packageNotFound } from './fault.ts';
import { openWheel } from './read-wheel.ts';
import type { OpenWheel } from './read-wheel.ts';
import { parseRequirement } from './requirement.ts';
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
}

/** Something that is wanted, and how far from what was asked for. */
interface Wish {
  readonly requirement: Requirement;
  readonly depth: number;
}

/** What was decided for a name. `wheel` is missing where the guest has it. */
interface Pick {
  readonly version: PythonVersion;
  readonly wheel: OpenWheel | undefined;
  readonly requires: readonly Requirement[];
  readonly extras: Set<string>;
  readonly depth: number;
}

export class Resolution {
  readonly #options: ResolveOptions;
  readonly #picks = new Map<string, Pick>();
  readonly #wishes: Wish[] = [];
  #sizeBytes = 0;
  #fileCount = 0;

  constructor(options: ResolveOptions) {
    this.#options = options;
    for (const [name, text] of options.installed) {
      const version = parsePythonVersion(text);
      if (version)
        this.#picks.set(name, { version, wheel: undefined, requires: [], extras: new Set(), depth: 0 });
    }
  }

  /** The wheels to install. Rejects with one of `executor/package-*`, or `executor/denied`. */
  async resolve(requests: readonly PackageRequest[]): Promise<readonly OpenWheel[]> {
    for (const [index, request] of requests.entries()) {
      if (typeof request !== 'string') await this.#takeHanded(request, `packages[${index}]`);
    }
    for (const request of requests) {
      if (typeof request === 'string') this.#want(parseRequirement(request), 0);
    }
    for (let wish = this.#wishes.shift(); wish; wish = this.#wishes.shift()) await this.#serve(wish);
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
    if (requirement.isNeeded('')) this.#wishes.push({ requirement, depth });
  }

  async #serve({ requirement, depth }: Wish): Promise<void> {
    const { name, specifier, text } = requirement;
    const pick = this.#picks.get(name);
    if (pick && !fitsSpecifier(pick.version, specifier)) {
      // what the guest has may be replaced by what it asks for
      if (pick.wheel) throw conflict(name, text, pick.version.text);
      this.#picks.delete(name);
    }
    if (!this.#picks.has(name)) await this.#fetch(requirement, depth);
    this.#addExtras(requirement);
  }

  async #fetch({ name, text }: Requirement, depth: number): Promise<void> {
    const { index, limits, signal } = this.#options;
    if (!index)
      throw packageNotFound(text, 'it is not among the packages handed over, and there is no index');
    this.#allow(index.origin, name);
    const candidate = choose(await index.find(name, signal), this.#requirementsOf(name, text));
    if (!candidate)
      throw packageNotFound(text, 'the index has no wheel that fits this Python and all requirements');
    const bytes = await index.fetch(candidate, signal);
    const { version, fileName, dependsOn } = candidate;
    const wheel = await openWheel(bytes, { label: fileName, name, version }, limits);
    this.#add(wheel, dependsOn ? dependsOn.map(parseRequirement) : wheel.requires, depth);
  }

  /** What is known so far to be asked of a name. */
  #requirementsOf(name: string, text: string): readonly Requirement[] {
    const waiting = this.#wishes.filter(({ requirement }) => requirement.name === name);
    return [parseRequirement(text), ...waiting.map(({ requirement }) => requirement)];
  }

  #allow(origin: string, name: string): void {
    const { isAllowed, rule } = decide(this.#options.policy, { permission: 'package', origin, name });
    if (isAllowed) return;
    throw new CodedError('executor/denied', `the policy denies the package ${name}`, {
      fields: { permission: 'package', name, rule },
    });
  }

  #add(wheel: OpenWheel, requires: readonly Requirement[], depth: number): void {
    const { packages, packageBytes, packageFiles } = this.#options.limits;
    this.#picks.set(wheel.name, { version: wheel.version, wheel, requires, extras: new Set(), depth });
    this.#sizeBytes += wheel.sizeBytes;
    this.#fileCount += wheel.fileCount;
    if (this.#picks.size - this.#options.installed.size > packages)
      throw beyondLimit('packages', packages, 'packages');
    if (this.#sizeBytes > packageBytes) throw beyondLimit('packageBytes', packageBytes, 'bytes of packages');
    if (this.#fileCount > packageFiles) throw beyondLimit('packageFiles', packageFiles, 'files of packages');
    for (const requirement of requires) this.#want(requirement, depth + 1);
  }

  /** An extra is more requirements of the same package. */
  #addExtras({ name, extras }: Requirement): void {
    const pick = this.#picks.get(name);
    for (const extra of extras) {
      if (!pick || pick.extras.has(extra)) continue;
      pick.extras.add(extra);
      const more = pick.requires.filter(({ isNeeded }) => !isNeeded('') && isNeeded(extra));
      for (const requirement of more) this.#want({ ...requirement, isNeeded: () => true }, pick.depth + 1);
    }
  }
}

function conflict(name: string, requirement: string, found: string): CodedError {
  return new CodedError('executor/package-conflict', `${name}: ${requirement} does not go with ${found}`, {
    fields: { name, requirement: requirement.slice(0, 200), found },
  });
}

/** The newest that fits; a pre-release only where one is asked for, or there is nothing else; a withdrawn one only when it is named exactly. */
function choose(
  candidates: readonly Candidate[],
  requirements: readonly Requirement[],
): Candidate | undefined {
  const specifiers = requirements.map(({ specifier }) => specifier);
  const isExact = specifiers.flat().some(({ operator, isPrefix }) => /^={2,3}$/u.test(operator) && !isPrefix);
  const fitting = candidates
    .filter(({ isYanked }) => !isYanked || isExact)
    .filter(({ version }) => specifiers.every((specifier) => fitsSpecifier(version, specifier)))
    .toSorted((one, other) => comparePythonVersions(other.version, one.version) || one.rank - other.rank);
  const isOpen = specifiers.some(wantsPreReleases);
  return fitting.find(({ version }) => isOpen || !isPreRelease(version)) ?? fitting[0];
}
