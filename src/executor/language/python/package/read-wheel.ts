/** Reads a wheel: checks that it is one for this Python, and says where its files go. Source: the binary distribution format specification. */
import { parseMetadata } from './metadata.ts';
import { invalidPackage } from './fault.ts';
import { rankTags } from './python-target.ts';
import { listZip, readZipEntry } from './read-zip.ts';
import type { ArchiveBounds, ZipEntry } from './read-zip.ts';
import { Pace } from './pace.ts';
import { normalizeName } from './package-name.ts';
import { parseRequirements } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import { comparePythonVersions, fitsSpecifier, parsePythonVersion, parseSpecifier } from './version.ts';
import type { PythonVersion } from './version.ts';
import { markerEnvironment } from './python-target.ts';

/** A file and its place below the folder of packages. */
export interface PackageFile {
  readonly path: string;
  readonly content: Uint8Array;
}

/** What is known of a wheel from its own words. */
export interface WheelFacts {
  readonly name: string;
  readonly version: PythonVersion;
  readonly requires: readonly Requirement[];
}

/** A wheel whose files have not been unpacked. */
export interface OpenWheel extends WheelFacts {
  /** Unpacked, all of them together. */
  readonly sizeBytes: number;
  readonly fileCount: number;
  unpack(): Promise<readonly PackageFile[]>;
}

/** Nobody describes a package in more. */
const maxMetadataBytes = 2 ** 20;
/** What one package says that it needs. */
export const maxRequirements = 1000;
/** Tags of one wheel, and of one text that stands for several. */
const maxTags = 1000;
const maxTagLength = 256;

/** What a wheel is expected to be. */
export interface WheelExpectation {
  /** How it is called in errors: the name of its file, or `packages[0]`. */
  readonly label: string;
  readonly name?: string | undefined;
  readonly version?: PythonVersion | undefined;
}

/** Rejects with `executor/package-invalid` or `executor/package-limit`. */
export async function openWheel(
  bytes: Uint8Array,
  expected: WheelExpectation,
  bounds: ArchiveBounds,
): Promise<OpenWheel> {
  const entries = listZip(bytes, bounds);
  const folder = findInfoFolder(entries, expected.label);
  const read = (file: string): Promise<string> => readText(bytes, entries, `${folder}/${file}`);
  const facts = await readFacts(await read('METADATA'), folder, expected);
  checkWheel(await read('WHEEL'), expected.label);
  const placed = entries.flatMap((entry) => {
    const path = placeOf(entry.path, folder.slice(0, -'.dist-info'.length));
    return path === undefined ? [] : [{ entry, path }];
  });
  checkPlaces(placed.map(({ path }) => path));
  return {
    ...facts,
    fileCount: placed.length,
    sizeBytes: placed.reduce((sum, { entry }) => sum + entry.sizeBytes, 0),
    unpack: () =>
      Promise.all(
        placed.map(async ({ entry, path }) => ({ path, content: await readZipEntry(bytes, entry) })),
      ),
  };
}

function findInfoFolder(entries: readonly ZipEntry[], label: string): string {
  const folders = new Set(entries.flatMap(({ path }) => /^[^/]+\.dist-info(?=\/)/u.exec(path)?.[0] ?? []));
  const [folder] = folders;
  if (folder !== undefined && folders.size === 1) return folder;
  throw invalidPackage(label, 'a wheel: one folder that ends with ".dist-info"', `${folders.size} of them`);
}

async function readText(bytes: Uint8Array, entries: readonly ZipEntry[], path: string): Promise<string> {
  const entry = entries.find((candidate) => candidate.path === path);
  if (!entry) throw invalidPackage(path, 'a file in the wheel', 'none');
  if (entry.sizeBytes > maxMetadataBytes) {
    throw invalidPackage(path, `at most ${maxMetadataBytes} bytes`, `${entry.sizeBytes}`);
  }
  return new TextDecoder().decode(await readZipEntry(bytes, entry));
}

async function readFacts(text: string, folder: string, expected: WheelExpectation): Promise<WheelFacts> {
  const { label } = expected;
  const metadata = parseMetadata(text);
  const name = normalizeName(metadata.first('name') ?? '');
  const version = parsePythonVersion(metadata.first('version') ?? '');
  if (name === '' || !version) throw invalidPackage(`${folder}/METADATA`, 'a Name and a Version', 'others');
  checkFolder(folder, name, version, label);
  checkExpected(expected, name, version);
  checkPython(metadata.first('requires-python') ?? '', label);
  const requires = metadata.all('requires-dist');
  if (requires.length > maxRequirements) {
    throw invalidPackage(label, `at most ${maxRequirements} requirements`, String(requires.length));
  }
  return { name, version, requires: await parseRequirements(requires, new Pace()) };
}

/** The folder's name says the same as what is in it: that is where Python looks first. */
function checkFolder(folder: string, name: string, version: PythonVersion, label: string): void {
  const [, folderName = '', folderVersion = ''] = /^(.+)-([^-]+)\.dist-info$/u.exec(folder) ?? [];
  const named = parsePythonVersion(folderVersion.replaceAll('_', '-'));
  if (normalizeName(folderName) === name && named && comparePythonVersions(named, version) === 0) return;
  throw invalidPackage(label, `a folder named after ${name} ${version.text}`, folder);
}

function checkExpected(expected: WheelExpectation, name: string, version: PythonVersion): void {
  const { label } = expected;
  if (expected.name !== undefined && normalizeName(expected.name) !== name) {
    throw invalidPackage(label, `the package ${normalizeName(expected.name)}`, name);
  }
  if (expected.version && comparePythonVersions(expected.version, version) !== 0) {
    throw invalidPackage(label, `version ${expected.version.text}`, version.text);
  }
}

/** Whether this Python is one that a package says it runs on; what cannot be read says nothing. */
export function allowsPython(requiresPython: string): boolean {
  const specifier = parseSpecifier(requiresPython);
  const own = parsePythonVersion(markerEnvironment['python_full_version'] ?? '');
  return !specifier || !own || fitsSpecifier(own, specifier);
}

function checkPython(requiresPython: string, label: string): void {
  if (allowsPython(requiresPython)) return;
  throw invalidPackage(label, `Python ${requiresPython}`, markerEnvironment['python_full_version'] ?? '');
}

function checkWheel(text: string, label: string): void {
  const wheel = parseMetadata(text);
  const format = wheel.first('wheel-version') ?? 'none';
  if (!/^1\.\d+$/u.test(format)) throw invalidPackage(label, 'a wheel of format 1', format);
  const tags: string[] = [];
  for (const tag of wheel.all('tag')) {
    for (const one of expandTag(tag)) tags.push(one);
    if (tags.length > maxTags) throw invalidPackage(label, `at most ${maxTags} tags`, 'more');
  }
  if (rankTags(tags) === undefined) {
    throw invalidPackage(label, 'a wheel for any platform or for this Python', tags.join(' ') || 'no tag');
  }
}

/** `py2.py3-none-any` is two tags. None for one that nobody wrote: longer than 256 characters, or of more than 1,000 combinations. */
export function expandTag(tag: string): readonly string[] {
  if (tag.length > maxTagLength) return [];
  const [pythons = [], abis = [], platforms = []] = tag.split('-').map((part) => part.split('.'));
  if (pythons.length * abis.length * platforms.length > maxTags) return [];
  return pythons.flatMap((python) =>
    abis.flatMap((abi) => platforms.map((platform) => `${python}-${abi}-${platform}`)),
  );
}

/** Scripts, headers and data have no use here. */
function placeOf(path: string, stem: string): string | undefined {
  const data = `${stem}.data/`;
  if (!path.startsWith(data)) return path;
  return /^(?:purelib|platlib)\/(.+)$/u.exec(path.slice(data.length))?.[1];
}

/** Two ways to one place. */
function checkPlaces(paths: readonly string[]): void {
  if (new Set(paths).size < paths.length) throw invalidPackage('archive', 'each place once', 'one twice');
}
