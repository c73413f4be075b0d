/** What a package needs, as people write it: `name[extra] >= 1.2; python_version < "3.12"`. Source: the dependency specifiers specification (PEP 508). */
import { invalidPackage } from './fault.ts';
import { parseMarker } from './marker.ts';
import type { Marker } from './marker.ts';
import { isPackageName, normalizeName } from './package-name.ts';
import type { Pace } from './pace.ts';
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
/** More extras asks nobody for at once. */
const maxExtras = 64;
const nameStart = /[A-Za-z0-9._-]+/uy;

/** The pieces of a requirement as they stand there. */
interface Pieces {
  readonly name: string;
  readonly extras: string;
  readonly versions: string;
  readonly marker: string;
}

/** From left to right, without going back: a text of spaces must not cost more than others of its length. */
function split(text: string): Pieces | undefined {
  const semicolon = text.indexOf(';');
  const head = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
  const marker = semicolon < 0 ? '' : text.slice(semicolon + 1);
  nameStart.lastIndex = 0;
  const name = nameStart.exec(head)?.[0] ?? '';
  let versions = head.slice(name.length).trim();
  let extras = '';
  if (versions.startsWith('[')) {
    const end = versions.indexOf(']');
    if (end < 0) return undefined;
    extras = versions.slice(1, end);
    versions = versions.slice(end + 1).trim();
  }
  if (versions.startsWith('(') && versions.endsWith(')')) versions = versions.slice(1, -1);
  return /[@()]/u.test(versions) ? undefined : { name, extras, versions, marker };
}

/** Throws `executor/package-invalid`. An address (`name @ https://…`) is refused: what is installed comes from the index. */
export function parseRequirement(text: string): Requirement {
  const wrong = (): Error =>
    invalidPackage('requirement', 'a name with versions, extras and a marker, without an address', text);
  const pieces = text.length <= maxLength ? split(text) : undefined;
  if (!pieces) throw wrong();
  const specifier = parseSpecifier(pieces.versions);
  const names = pieces.extras.split(',').map((extra) => extra.trim());
  const asked = names.filter((extra) => extra !== '');
  if (!specifier || !isPackageName(pieces.name) || !asked.every(isPackageName)) throw wrong();
  if (asked.length > maxExtras) throw invalidPackage('requirement', `at most ${maxExtras} extras`, text);
  return {
    text: text.trim(),
    name: normalizeName(pieces.name),
    extras: asked.map(normalizeName),
    specifier,
    isNeeded: parseMarker(pieces.marker),
  };
}

/** All of them, in pieces. Rejects as {@link parseRequirement} throws. */
export async function parseRequirements(
  texts: readonly string[],
  pace: Pace,
): Promise<readonly Requirement[]> {
  const requirements: Requirement[] = [];
  for (const text of texts) {
    await pace.spend(text.length);
    requirements.push(parseRequirement(text));
  }
  return requirements;
}
