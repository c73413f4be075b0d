/** Which names variables may have: each becomes a table, or a parameter. */

/** Postgres cuts longer ones. */
const longestName = 63;

/** What is wrong with `name`, or `undefined`. */
export function refusePostgresName(name: string): string | undefined {
  if (name.length > longestName) return `more than ${longestName} characters`;
  if (!/^[a-z_]\w*$/iu.test(name)) return 'something else than letters, digits and underscores';
  return /^pg_/iu.test(name) ? 'a name that Postgres keeps for itself' : undefined;
}
