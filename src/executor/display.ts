/** Rich values that a guest shows beside what it prints. */
import { costOfJson } from './sandbox/json-cost.ts';

/** What a rich value may be written as; other types are left out. */
export const displayTypes = [
  'text/plain',
  'text/html',
  'text/markdown',
  'image/png',
  'image/jpeg',
  'image/svg+xml',
  'application/json',
  'application/vnd.dataresource+json',
] as const;

/** One of {@link displayTypes}. */
export type DisplayType = (typeof displayTypes)[number];

/**
 * One value in one or more forms: a MIME bundle, frozen, without a prototype. Pictures are in base64 except SVG; JSON is text; a table is
 * `application/vnd.dataresource+json` with `schema.fields` and `data`. All of it is the guest's: HTML and SVG must be shown in a sandboxed frame
 * without scripts, never in the page itself.
 */
export type DisplayValue = Readonly<Partial<Record<DisplayType, string>>>;

/** A bundle is flat, and each of its forms is text: more objects than these are no bundle. */
const maxCost = 65_536;

/** Reads a bundle of unknown origin; `undefined` when it is none, or has nothing that is known. */
export function parseDisplay(json: string): DisplayValue | undefined {
  const fields = parseObject(json);
  if (!fields) return undefined;
  const bundle = Object.create(null) as Partial<Record<DisplayType, string>>;
  for (const type of displayTypes) {
    const content = Object.hasOwn(fields, type) ? fields[type] : undefined;
    if (typeof content === 'string') bundle[type] = content;
  }
  return Object.keys(bundle).length > 0 ? Object.freeze(bundle) : undefined;
}

function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  if (costOfJson(json, maxCost) > maxCost) return undefined;
  try {
    const tree: unknown = JSON.parse(json);
    return typeof tree === 'object' && tree !== null ? (tree as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
