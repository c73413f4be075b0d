/** What a package needs, as people write it: `name[extra] >= 1.2; python_version < "3.12"`. Source: the dependency specifiers specification (PEP 508). */
import { invalidPackage } from './fault.ts';
import { parseMarker } from './marker.ts';
import type { Marker } from './marker.ts';
import { parseSpecifier } from './version.ts';
import type { VersionSpecifier } from './version.ts';

/** One requirement. */
export interface Requirement {
  readonly text: string;
  /** In the one form in which names are compared. */
  readonly name: string;
  readonly extras: readonly string[];
  readonly specifier: VersionSpecifier;
  /** Whether it is needed at all; given the extra that is asked for. */
  readonly isNeeded: Marker;
}

/** A requirement that is longer is none that somebody wrote. */
const maxLength = 1000;
const pattern =
  /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*(?:\(([^()]*)\)|([^;@()]*))?\s*(?:;(.*))?$/su;

/** Lower case, with a single `-` for every run of `-`, `_` and `.`; source: PEP 503. */
export function normalizeName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/gu, '-');
}

/** A name as packages have it. */
export function isPackageName(name: string): boolean {
  return name.length <= 255 && /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/u.test(name);
}

/** Throws `executor/package-invalid`. An address (`name @ https://…`) is refused: what is installed comes from the index. */
export function parseRequirement(text: string): Requirement {
  const wrong = (): Error =>
    invalidPackage('requirement', 'a name with versions, extras and a marker, without an address', text);
  const match = text.length <= maxLength ? pattern.exec(text) : null;
  if (!match) throw wrong();
  const [, name = '', extras = '', inBrackets, plain = '', marker = ''] = match;
  const specifier = parseSpecifier(inBrackets ?? plain);
  const names = extras.split(',').map((extra) => extra.trim());
  const asked = names.filter((extra) => extra !== '');
  if (!specifier || !isPackageName(name) || !asked.every(isPackageName)) throw wrong();
  return {
    text: text.trim(),
    name: normalizeName(name),
    extras: asked.map(normalizeName),
    specifier,
    isNeeded: parseMarker(marker),
  };
}
