/** Several parameters, of one module or many, that are set together or not at all. */
import { CodedError } from '../../base/index.ts';
import { checkChange, optionInvalid } from '../check-option.ts';
import { changeTogether } from './change-together.ts';
import type { BoundChangeHost, ChangePart } from './change-together.ts';
import { copyGiven } from '../handle/copy-given.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { SetOptions } from './parameter-handle.ts';

/** A module, by its handle or its id, and new values of its parameters by name. */
export type ValuesOfModule = readonly [
  module: string | { readonly id: string },
  values: Readonly<Record<string, unknown>>,
];

/** New values of one module's parameters, by name. */
export interface ModuleValues {
  readonly module: HostedModuleRecord;
  readonly values: Readonly<Record<string, unknown>>;
}

/** @throws `runtime/module-not-found` */
export function findEach(
  values: readonly ValuesOfModule[],
  modules: { readonly find: (id: string) => HostedModuleRecord },
): readonly ModuleValues[] {
  return values.map((pair, at) => {
    if (!Array.isArray(pair)) throw optionInvalid(`values[${at}]`, pair, 'a module and its values');
    const [module, each] = pair as ValuesOfModule;
    const id: unknown = typeof module === 'string' ? module : module?.id;
    if (typeof id !== 'string') throw optionInvalid(`values[${at}][0]`, module, 'a module, or its id');
    return { module: modules.find(id), values: each };
  });
}

/**
 * @throws what an owner has against it, `program/parameter-not-found`, `port/timeout`, `port/cancelled`, `state/…`: nothing has
 *   changed then
 */
export async function setParameters(
  host: BoundChangeHost,
  given: readonly ModuleValues[],
  options: SetOptions,
): Promise<void> {
  checkChange(options);
  const { level = 'strict', cause = 'set', timeoutMs, signal } = options;
  const parts = [...gather(given)].map(([module, values]): ChangePart => ({
    module,
    cause,
    changes: { values: copyGiven(values) },
  }));
  await changeTogether(host, parts, { level, timeoutMs, signal });
}

/** One part for each module, whoever named it how often; the last value of a name counts. */
function gather(given: readonly ModuleValues[]): ReadonlyMap<HostedModuleRecord, Record<string, unknown>> {
  const all = new Map<HostedModuleRecord, Record<string, unknown>>();
  for (const { module, values } of given) {
    if (typeof values !== 'object' || values === null || Array.isArray(values))
      throw notValues(module.id, values);
    all.set(module, { ...all.get(module), ...values });
  }
  return all;
}

function notValues(module: string, values: unknown): CodedError {
  const found = Array.isArray(values) ? 'a list' : values === null ? 'null' : typeof values;
  return new CodedError(
    'runtime/values-invalid',
    `the values for module "${module}" are ${found}, expected values by parameter name`,
    { fields: { module, value: found, expected: 'values by parameter name' } },
  );
}
