/** Which names variables may have: each becomes a table, or a parameter. */

const longestName = 64;

/** What is wrong with `name`, or `undefined`. */
export function refuseSqlName(name: string): string | undefined {
  if (name.length > longestName) return `more than ${longestName} characters`;
  if (!/^[a-z_]\w*$/iu.test(name)) return 'something else than letters, digits and underscores';
  return /^sqlite_/iu.test(name) ? 'a name that SQLite keeps for itself' : undefined;
}
