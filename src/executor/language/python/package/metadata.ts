/** The header lines of `METADATA` and `WHEEL`: `Name: value`, folded lines, then a text that says nothing to us. */

/** Fields by their name in small letters. */
export interface Metadata {
  first(name: string): string | undefined;
  all(name: string): readonly string[];
}

export function parseMetadata(text: string): Metadata {
  const fields: (readonly [name: string, value: string])[] = [];
  for (const line of text.split(/\r?\n/u)) {
    if (line === '') break;
    const last = fields.at(-1);
    if (/^[ \t]/u.test(line) && last) {
      fields[fields.length - 1] = [last[0], `${last[1]}\n${line.trim()}`];
      continue;
    }
    const colon = line.indexOf(':');
    if (colon > 0) fields.push([line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]);
  }
  const all = (name: string): readonly string[] =>
    fields.filter(([field]) => field === name).map(([, value]) => value);
  return { all, first: (name) => all(name)[0] };
}
