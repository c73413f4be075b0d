/** Backslashes in Python's text literals. */

const simpleEscapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '\n': '',
};
const escapePattern = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))/gu;

/** What a text literal says between its quotes. Undefined for escapes that Python refuses: cut codes, codes beyond Unicode, names. */
export function unescapePython(body: string): string | undefined {
  let isRefused = false;
  const text = body.replace(escapePattern, (whole, octal?: string, ...groups: unknown[]) => {
    const [two, four, eight, other] = groups as (string | undefined)[];
    const digits = two ?? four ?? eight;
    const code = octal === undefined ? Number.parseInt(digits ?? '', 16) : Number.parseInt(octal, 8);
    if (code <= 0x10ffff) return String.fromCodePoint(code);
    isRefused ||= digits !== undefined || 'xuUN'.includes(other ?? ' ');
    return simpleEscapes[other ?? ''] ?? whole;
  });
  return isRefused ? undefined : text;
}
