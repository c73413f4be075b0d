/** The page of one package in a simple index, in both forms. Sources: PEP 691 for JSON, PEP 503, 592 and 629 for HTML. */
import type { OfferedFile } from './candidate.ts';
import { invalidPackage } from './fault.ts';
import type { Pace } from './pace.ts';

/** More files has no package. */
const maxFiles = 100_000;
const maxUrlLength = 4096;
/** Reading an address takes some microseconds. */
const fileSteps = 20;

type Fields = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Hex of 32 bytes, or nothing. */
export function readHash(value: unknown): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{64}$/iu.test(value) ? value.toLowerCase() : undefined;
}

/** Rejects with `executor/package-invalid` for what is no such page; a file that cannot be read is left out. */
export async function parseSimpleJson(
  json: string,
  pageUrl: string,
  pace: Pace,
): Promise<readonly OfferedFile[]> {
  let page: unknown;
  try {
    page = JSON.parse(json);
  } catch {
    throw invalidPackage(pageUrl, 'JSON', 'another');
  }
  const { files } = Object(page) as { readonly files?: unknown };
  if (!Array.isArray(files) || files.length > maxFiles) {
    throw invalidPackage(pageUrl, `a list of at most ${maxFiles} files`, 'another');
  }
  const offered: OfferedFile[] = [];
  for (const file of files as readonly unknown[]) {
    const { filename, url, hashes, yanked, 'requires-python': requiresPython } = Object(file) as Fields;
    if (typeof filename !== 'string' || typeof url !== 'string' || url.length > maxUrlLength) continue;
    await pace.spend(fileSteps + url.length);
    if (!URL.canParse(url, pageUrl)) continue;
    offered.push({
      fileName: filename,
      url: new URL(url, pageUrl).href,
      sha256: readHash((Object(hashes) as Fields)['sha256']),
      requiresPython: text(requiresPython),
      isYanked: yanked === true || typeof yanked === 'string',
    });
  }
  return offered;
}

/** What is longer is no link to a file. */
const anchor = /<a\s([^<>]{0,8192})>([^<>]{0,1024})<\/a\s{0,16}>/giu;
const attribute = /([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'))?/giu;
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };

function unescapeHtml(html: string): string {
  return html.replaceAll(/&(amp|lt|gt|quot|#39);/gu, (whole, name: string) => entities[name] ?? whole);
}

/** As {@link parseSimpleJson}. The page of an index is a flat list of links; no more of HTML is read. */
export async function parseSimpleHtml(
  html: string,
  pageUrl: string,
  pace: Pace,
): Promise<readonly OfferedFile[]> {
  const files: OfferedFile[] = [];
  let links = 0;
  for (const [, attributes = '', label = ''] of html.matchAll(anchor)) {
    links += 1;
    if (links > maxFiles) throw invalidPackage(pageUrl, `at most ${maxFiles} files`, 'more');
    await pace.spend(fileSteps + attributes.length);
    const found = new Map(
      [...attributes.matchAll(attribute)].map(
        ([, name = '', double, single]) =>
          [name.toLowerCase(), unescapeHtml(double ?? single ?? '')] as const,
      ),
    );
    const address = found.get('href') ?? '';
    if (address.length > maxUrlLength || !URL.canParse(address, pageUrl)) continue;
    const url = new URL(address, pageUrl);
    const hash = readHash(/^#sha256=(.*)$/u.exec(url.hash)?.[1]);
    url.hash = '';
    files.push({
      fileName: unescapeHtml(label).trim(),
      url: url.href,
      sha256: hash,
      requiresPython: found.get('data-requires-python') ?? '',
      isYanked: found.has('data-yanked'),
    });
  }
  return files;
}
