/** Whether an actor fits the sub-module that it stands for: as data, so that page and worker can both look. */
import { canonicalJson, CodedError } from '../../base/index.ts';
import type { ModuleDescription } from '../../program/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { Described, PartNames } from '../module-protocol.ts';

/** Parameters and predictors, under the part's own names, with what can be said of them. */
export type PartShape = Readonly<Record<string, string>>;

/** An actor that stands for a sub-module. */
export interface PartFit {
  readonly path: string;
  readonly kind: string;
  readonly shape: PartShape;
}

/** What another instance of a module must fit, since it goes on with the same actors inside it and around it. */
export interface SwapFit {
  /** Actors inside it. */
  readonly parts: readonly PartFit[];
  /** For a part: what the program around it takes it for. */
  readonly around?: PartFit;
}

/** What a module must fit that another instance of takes over; undefined for one that is alone. */
export function fitOf(module: HostedModuleRecord): SwapFit | undefined {
  const { around } = module;
  if (!around && module.parts.size === 0) return undefined;
  const parts = [...module.parts.values()].flatMap(({ path, module: { kind, description } }) =>
    description ? [{ path, kind, shape: shapeOf(description) }] : [],
  );
  const names = around?.module.parts.get(around.path)?.names;
  const outer = around?.module.description;
  if (!around || !names || !outer) return { parts };
  return { parts, around: { path: around.path, kind: module.kind, shape: shapeOf(outer, names) } };
}

/** @throws `runtime/sub-module-mismatch` */
export function refuseMisfit(module: string, { description, parts }: Described, fit: SwapFit): void {
  refuseShared(module, parts);
  for (const part of fit.parts) {
    const names = parts[part.path];
    if (names) refuseOther(part, shapeOf(description, names));
  }
  const { around } = fit;
  if (around) refuseOther({ ...around, shape: shapeOf(description) }, around.shape);
}

/**
 * For a module that has started again: whether it fits those that run around it and inside it. Its worker may have begun with other code.
 * @throws `runtime/sub-module-mismatch`
 */
export function refuseStranger(module: HostedModuleRecord): void {
  const { around } = module;
  const pairs = [...module.parts.values()].map((part) => ({ program: module, part }));
  const own = around?.module.parts.get(around.path);
  if (around && own) pairs.push({ program: around.module, part: own });
  for (const { program, part } of pairs) {
    const { path, names, module: inside } = part;
    const other = inside === module ? program : inside;
    // one that starts looks itself, and one that takes new code is not what it was
    if (!other.isRunning || inside.swapping || program.swapping) continue;
    if (!inside.description || !program.description) continue;
    const fit = { path, kind: inside.kind, shape: shapeOf(inside.description) };
    refuseOther(fit, shapeOf(program.description, names));
  }
}

/** One parameter cannot live in two actors. @throws `runtime/sub-module-mismatch` */
export function refuseShared(module: string, parts: Readonly<Record<string, PartNames>>): void {
  const seen = new Map<string, string>();
  for (const [path, { parameters }] of Object.entries(parts)) {
    for (const name of Object.values(parameters)) {
      const other = seen.get(name);
      if (other !== undefined)
        throw mismatch(path, `of "${module}" shares the parameter "${name}" with "${other}"`);
      seen.set(name, path);
    }
  }
}

/**
 * As far as data can show it, the actor's class must be the sub-module's.
 * @param inProgram the shape of the sub-module
 * @throws `runtime/sub-module-mismatch`
 */
export function refuseOther({ path, kind, shape }: PartFit, inProgram: PartShape): void {
  for (const name of Object.keys({ ...inProgram, ...shape })) {
    const [ours, theirs] = [inProgram[name] ?? 'nothing', shape[name] ?? 'nothing'];
    if (ours === theirs) continue;
    throw mismatch(
      path,
      `cannot be an actor of kind "${kind}": ${name} is ${ours} in the program, ${theirs} in the kind`,
    );
  }
}

/** @param names of the part, when the description is of the module around it */
export function shapeOf(description: ModuleDescription, names?: PartNames): PartShape {
  const rename = (given: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> =>
    new Map(Object.entries(given ?? {}).map(([own, outer]) => [outer, own]));
  const parameters = rename(names?.parameters);
  const predictors = rename(names?.predictors);
  const own = (map: ReadonlyMap<string, string>, name: string): string | undefined =>
    names ? map.get(name) : name;
  const shape: [string, string][] = [];
  for (const { name, type, constraints } of description.parameters) {
    const key = own(parameters, name);
    if (key !== undefined) shape.push([`parameter "${key}"`, `${type} ${canonicalJson(constraints)}`]);
  }
  for (const { name, signature } of description.predictors) {
    const key = own(predictors, name);
    if (key !== undefined) shape.push([`predictor "${key}"`, signature]);
  }
  return Object.fromEntries(shape);
}

function mismatch(path: string, what: string): CodedError {
  return new CodedError('runtime/sub-module-mismatch', `the sub-module "${path}" ${what}`, {
    fields: { path },
  });
}
