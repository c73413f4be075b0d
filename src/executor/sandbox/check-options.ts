/** Refuses what an executor is given and its language has no use for: it would be thought to hold. */
import { CodedError } from '../../base/index.ts';
import type { Language } from '../language/language.ts';
import type { PackageIndex } from '../package.ts';
import { denyByDefault } from '../policy/policy.ts';
import type { Policy } from '../policy/policy.ts';

function invalid(field: string, expected: string, found: string): CodedError {
  return new CodedError('executor/option-invalid', `${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

/** Throws `executor/option-invalid` naming the field. */
export function checkOptions(
  { name, capabilities }: Language,
  policy: Policy,
  index: PackageIndex | undefined,
): void {
  if (!capabilities.hasDeniedNames) checkDenials(name, policy);
  if (index === undefined) return;
  if (!capabilities.hasPackages) throw invalid('packageIndex', `none: ${name} takes no packages`, 'one');
  checkIndex(index);
}

/** Those of every policy are no wish of the caller's. */
function checkDenials(name: string, { deniedModules, deniedGlobals }: Policy): void {
  const why = `none: nothing looks for names in ${name}`;
  const module = deniedModules.find((entry) => !denyByDefault.deniedModules.includes(entry));
  if (module !== undefined) throw invalid('policy.deniedModules', `${why}, beyond the default's`, module);
  const [global] = deniedGlobals;
  if (global !== undefined) throw invalid('policy.deniedGlobals', why, global);
}

const isOrigin = (item: unknown): boolean =>
  URL.canParse(String(item)) && new URL(String(item)).origin === item;

function checkIndex(index: PackageIndex): void {
  if (typeof index !== 'object' || index === null) throw invalid('packageIndex', 'an object', String(index));
  const { form, url, packageBaseUrl, lockSha256, fileOrigins = [] } = index;
  const base = globalThis.document?.baseURI;
  const check = (isSound: boolean, field: keyof PackageIndex, expected: string): void => {
    const found: unknown = index[field];
    if (!isSound)
      throw invalid(`packageIndex.${field}`, expected, typeof found === 'string' ? found : typeof found);
  };
  check(form === 'pyodide-lock' || form === 'simple', 'form', '"pyodide-lock" or "simple"');
  check(typeof url === 'string' && URL.canParse(url, base), 'url', 'an address');
  const isBase = packageBaseUrl === undefined || URL.canParse(packageBaseUrl, new URL(url, base).href);
  check(isBase, 'packageBaseUrl', 'an address');
  const isHash = lockSha256 === undefined || /^[0-9a-f]{64}$/iu.test(lockSha256);
  check(isHash, 'lockSha256', '64 hexadecimal digits');
  const areOrigins = Array.isArray(fileOrigins) && fileOrigins.every(isOrigin);
  check(areOrigins, 'fileOrigins', 'a list of origins such as "https://files.example"');
}
