/** What a rule of a policy means by a module. Also part of guests, which look for it in the text of the code. */

/** `node:fs` and `fs` are one module. */
const plainName = (name: string): string => name.replace(/^node:/u, '');

/** Whether `wanted` is the module `rule` or a part of it: `os` is also `os.path`, and `node:fs` also `fs` and `node:fs/promises`. */
export function containsModule(rule: string, wanted: string): boolean {
  const [whole, name] = [plainName(rule), plainName(wanted)];
  return name === whole || name.startsWith(`${whole}.`) || name.startsWith(`${whole}/`);
}
