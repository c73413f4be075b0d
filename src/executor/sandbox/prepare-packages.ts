/** Checks the packages that a run asks for, and takes copies of what is handed over. */
import { CodedError } from '../../base/index.ts';
import type { ExecutionContext } from '../executor.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { PackageRequest } from '../package.ts';

function wrong(field: string, expected: string, found: string): CodedError {
  return new CodedError('executor/package-invalid', `${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

function beyond(limit: 'packages' | 'packageDownloadBytes', allowed: number, field: string): CodedError {
  return new CodedError('executor/package-limit', `${field}: more than ${allowed} (limit ${limit})`, {
    fields: { limit, allowed },
  });
}

function checkPackage(request: PackageRequest, field: string, maxBytes: number): PackageRequest {
  if (typeof request === 'string') return request;
  const isObject = typeof request === 'object' && request !== null;
  if (!isObject) throw wrong(field, 'a requirement or { wheel }', typeof request);
  const { wheel, name, isWithoutDependencies = false } = request;
  if (!(wheel instanceof Uint8Array)) throw wrong(`${field}.wheel`, 'bytes', typeof wheel);
  if (name !== undefined && typeof name !== 'string') throw wrong(`${field}.name`, 'a name', typeof name);
  if (wheel.length > maxBytes) throw beyond('packageDownloadBytes', maxBytes, `${field}.wheel`);
  return {
    wheel: wheel.slice(),
    isWithoutDependencies: isWithoutDependencies === true,
    ...(name === undefined ? {} : { name }),
  };
}

/** What the wheels are is seen later. Throws `executor/package-invalid` or `executor/package-limit`. */
export function checkPackages(
  { packages = [] }: ExecutionContext,
  limits: ExecutorLimits,
): readonly PackageRequest[] {
  if (!Array.isArray(packages)) throw wrong('packages', 'a list', typeof packages);
  const requests: readonly PackageRequest[] = packages;
  if (requests.length > limits.packages) throw beyond('packages', limits.packages, 'packages');
  return requests.map((request, index) =>
    checkPackage(request, `packages[${index}]`, limits.packageDownloadBytes),
  );
}
