/** Makes a database that nobody has used, packed as `language/postgres/guest/template.ts` reads it. */
export function buildTemplate(): Promise<Uint8Array>;
