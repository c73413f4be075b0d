/** Which names JavaScript takes for a variable. */

/** Reserved words of ECMAScript 2026, those of strict code and modules included, and names that cannot be assigned. */
const reserved = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false ' +
    'finally for function if implements import in instanceof interface let new null package private protected public return ' +
    'static super switch this throw true try typeof undefined var void while with yield NaN Infinity globalThis'
  ).split(' '),
);

const longestName = 255;

/** What is wrong with `name` as a variable of a run, or `undefined`. */
export function refuseJavaScriptName(name: string): string | undefined {
  if (name.length > longestName) return `more than ${longestName} characters`;
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(name)) {
    return 'something that is no JavaScript identifier';
  }
  if (reserved.has(name)) return 'a reserved word';
  if (name === 'SUBMIT') return 'the name of the function that submits';
  return name === '__proto__' ? 'a name that JavaScript keeps for itself' : undefined;
}
