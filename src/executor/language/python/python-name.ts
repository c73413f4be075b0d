/** Which names Python takes for a variable. */

/** Python 3.14's hard keywords. */
const keywords = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

const longestName = 255;

/** What is wrong with `name` as a variable of a run, or `undefined`. Expects it in the form NFKC, as Python reads names. */
export function refusePythonName(name: string): string | undefined {
  if (name.length > longestName) return `more than ${longestName} characters`;
  if (!/^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(name)) return 'something that is no Python identifier';
  if (keywords.has(name)) return 'a keyword';
  if (name === 'SUBMIT') return 'the name of the function that submits';
  return /^__.*__$/u.test(name) ? 'a name that Python keeps for itself' : undefined;
}

/** What is wrong with `name` as that of a module that is handed over (`a`, `a.b`, `a/b.py`, `a/b/__init__.py`), or `undefined`. */
export function refusePythonModule(name: string): string | undefined {
  const parts = name
    .replace(/\.py$/u, '')
    .split(name.includes('/') ? '/' : '.')
    .map((part) => part.normalize('NFKC'));
  const own = parts.at(-1) === '__init__' ? parts.slice(0, -1) : parts;
  const isSound =
    own.length > 0 && own.every((part) => /^[\p{XID_Start}_]\p{XID_Continue}{0,254}$/u.test(part));
  if (!isSound) return 'something that no import statement can name';
  return own.some((part) => keywords.has(part)) ? 'a keyword in it' : undefined;
}
