/** Finding the predictors, sub-modules and parameters of a program, in DSPy's order and under DSPy's names. */
import { CodedError } from '../base/index.ts';
import { hasBrand, moduleBrand, parameterBrand, predictorBrand } from './kind.ts';
import { programLimits } from './limits.ts';
import type { Module } from './module.ts';
import type { Parameter } from './parameter.ts';
import type { Predictor } from './predict/predictor.ts';
import { holds, isContainer, itemsOf, linkOf, unwrap } from './view.ts';

export type Named<T> = readonly [name: string, value: T];

const isModule = (value: unknown): value is Module => hasBrand(value, moduleBrand);
const isPredictor = (value: unknown): value is Predictor => hasBrand(value, predictorBrand);
const isParameter = (value: unknown): value is Parameter => hasBrand(value, parameterBrand);
const isKnown = (value: unknown): boolean => isModule(value) || isParameter(value);

interface Scope {
  /** How many containers inside containers are looked into. */
  readonly containerLevels: number;
  readonly skipCompiled: boolean;
  /** Whether predictors are searched too. */
  readonly entersPredictors: boolean;
}

/** What DSPy's `named_predictors` sees. */
const dspyScope: Scope = { containerLevels: 1, skipCompiled: true, entersPredictors: false };
/** Everything, so that a snapshot loses nothing. */
const wholeScope: Scope = { containerLevels: Infinity, skipCompiled: false, entersPredictors: true };

interface Walk extends Scope {
  readonly seen: Set<unknown>;
  /** Seen through a view, modules stay bound; else a view that a field kept from an ended run counts as its module. */
  readonly resolve: (value: unknown) => unknown;
  readonly visit: (name: string, value: unknown) => void;
}

function walkFields(owner: object, prefix: string, depth: number, walk: Walk): void {
  if (depth > programLimits.moduleDepth) throw tooDeep();
  for (const [name, value] of Object.entries(owner)) walkItem([`${prefix}${name}`, value], depth, 0, walk);
}

function walkItem([name, given]: Named<unknown>, depth: number, level: number, walk: Walk): void {
  const value = walk.resolve(given);
  if (isContainer(value)) {
    if (level >= walk.containerLevels || !holds(value, isKnown)) return;
    for (const [key, item] of itemsOf(value)) walkItem([`${name}${key}`, item], depth, level + 1, walk);
    return;
  }
  const identity = unwrap(value);
  if (!isKnown(value) || walk.seen.has(identity)) return;
  walk.seen.add(identity);
  if (!isModule(value)) return walk.visit(name, value);
  if (isPredictor(value)) walk.visit(name, value);
  if (isPredictor(value) ? walk.entersPredictors : !(walk.skipCompiled && value.isCompiled)) {
    walkFields(value, `${name}.`, depth + 1, walk);
  }
}

function resolverFor(root: Module): (value: unknown) => unknown {
  return linkOf(root) === undefined ? unwrap : (value) => value;
}

function collect<T>(root: Module, scope: Scope, accepts: (value: unknown) => value is T): Named<T>[] {
  const found: Named<T>[] = [];
  const visit = (name: string, value: unknown): void => {
    if (accepts(value)) found.push([name, value]);
  };
  const resolve = resolverFor(root);
  if (isPredictor(root)) visit('self', root);
  walkFields(root, '', 1, { ...scope, seen: new Set([unwrap(root)]), resolve, visit });
  return found;
}

/**
 * As DSPy's `named_predictors`: depth first in order of definition, one level of lists and maps, each predictor once under the
 * first path; compiled sub-modules are left out, a compiled root is not.
 */
export function predictorsOf(root: Module): Named<Predictor>[] {
  return collect(root, dspyScope, isPredictor);
}

/** Every predictor, also compiled ones and those in nested lists. */
export function allPredictorsOf(root: Module): Named<Predictor>[] {
  return collect(root, wholeScope, isPredictor);
}

/** Every parameter of the tree under its dotted name. */
export function parametersOf(root: Module): Named<Parameter>[] {
  return collect(root, wholeScope, isParameter);
}

/** The parameter that has the name of the field it is in, as most have: the tree is not walked for it. */
export function parameterOfField(owner: object, name: string): Parameter | undefined {
  const field: unknown = Object.hasOwn(owner, name) ? Reflect.get(owner, name) : undefined;
  return isParameter(field) && field.name === name ? field : undefined;
}

/** The parameters in the module's own fields, not those of sub-modules. Never throws. */
export function ownParametersOf(owner: object): Named<Parameter>[] {
  const found: Named<Parameter>[] = [];
  const seen = new Set<unknown>();
  const look = (name: string, value: unknown): void => {
    if (isParameter(value)) found.push([name, value]);
    if (!isContainer(value) || seen.has(value) || !holds(value, isParameter)) return;
    seen.add(value);
    for (const [key, item] of itemsOf(value)) look(`${name}${key}`, item);
  };
  for (const [name, value] of Object.entries(owner)) look(name, value);
  return found;
}

export interface SubModuleOptions {
  /** Leaves out what is inside compiled modules; they themselves are found. Default false. */
  readonly skipCompiled?: boolean;
  /** Fields and containers between the root and what is found. Default: no limit. */
  readonly maxDepth?: number;
}

/**
 * As DSPy's `named_sub_modules`: breadth first from `self`, through lists and maps at any depth, each module once under the
 * nearest path. Keys of maps are not quoted here, as in DSPy.
 */
export function modulesOf(root: Module, options: SubModuleOptions = {}): Named<Module>[] {
  const { maxDepth = Infinity } = options;
  const resolve = resolverFor(root);
  const seen = new Set<unknown>([unwrap(root)]);
  const queue: { name: string; value: unknown; depth: number }[] = [{ name: 'self', value: root, depth: 0 }];
  const found: Named<Module>[] = [];
  // The queue grows while it is read.
  for (const { name, value, depth } of queue) {
    if (isModule(value)) found.push([name, value]);
    for (const [step, given] of depth < maxDepth ? stepsFrom(value, options) : []) {
      const item = resolve(given);
      if (!leadsToModules(item) || seen.has(unwrap(item))) continue;
      seen.add(unwrap(item));
      queue.push({ name: `${name}${step}`, value: item, depth: depth + 1 });
    }
  }
  return found;
}

function leadsToModules(value: unknown): boolean {
  return isModule(value) || (isContainer(value) && holds(value, isModule));
}

function stepsFrom(value: unknown, { skipCompiled }: SubModuleOptions): Named<unknown>[] {
  if (isModule(value) && skipCompiled && value.isCompiled) return [];
  if (isModule(value)) return Object.entries(value).map(([name, item]) => [`.${name}`, item]);
  if (Array.isArray(value)) return value.map((item: unknown, index) => [`[${index}]`, item]);
  if (value instanceof Map) return [...value].map(([key, item]) => [`[${String(key)}]`, item]);
  return Object.entries(value as object).map(([key, item]) => [`[${key}]`, item]);
}

function tooDeep(): CodedError {
  return new CodedError('program/too-deep', `modules are nested deeper than ${programLimits.moduleDepth}`, {
    fields: { limit: programLimits.moduleDepth },
  });
}
