/** The title that DSPy makes of a field's name: `camelCaseText` → `Camel Case Text`, `text2number` → `Text 2 Number`. */

/** Splits a name into words at `_`, at humps and between letters and digits. Words in capitals stay; the others begin with one. */
export function inferPrefix(name: string): string {
  const withHumps = name.replace(/([^\n])([A-Z][a-z]+)/gu, '$1_$2').replace(/([a-z0-9])([A-Z])/g, '$1_$2');
  const withNumbers = withHumps
    .replace(/([a-zA-Z])(\p{Nd})/gu, '$1_$2')
    .replace(/(\p{Nd})([a-zA-Z])/gu, '$1_$2');
  return withNumbers
    .split('_')
    .map((word) => (isUpperCase(word) ? word : capitalize(word)))
    .join(' ');
}

function isUpperCase(word: string): boolean {
  return word === word.toUpperCase() && word !== word.toLowerCase();
}

/** Letters that are two letters in one have a form of their own at the start of a word. */
const titleLetters: Readonly<Record<string, string>> = { Ǆ: 'ǅ', Ǉ: 'ǈ', Ǌ: 'ǋ', Ǳ: 'ǲ' };

function capitalize(word: string): string {
  const [first = '', ...rest] = word;
  const [letter = '', ...more] = first.toUpperCase();
  return (titleLetters[letter] ?? letter) + [...more, ...rest].join('').toLowerCase();
}
