/** Puts a module where a name of {@link Module.namedPredictors} points: `hops[0].predict`, `tools['k']`. */
import { CodedError } from '../base/index.ts';

type Step = { readonly field: string } | { readonly index: number } | { readonly key: string };

/** @throws `program/predictor-not-found` when the path leads nowhere or what holds it is frozen; DSPy's `self` cannot be replaced */
function replaceAt(root: object, name: string, replacement: unknown): void {
  if (name === 'self') throw nowhere(name);
  const steps = parsePath(name);
  const last = steps.pop();
  let owner: unknown = root;
  for (const step of steps) owner = stepInto(owner, step, name);
  if (!last || typeof owner !== 'object' || owner === null) throw nowhere(name);
  if ('key' in last && owner instanceof Map) owner.set(mapKey(owner, last.key), replacement);
  else if (!Reflect.set(owner, propertyOf(last), replacement)) throw frozen(name);
}

/**
 * Replaces all or nothing: when one cannot be replaced, those before are put back.
 * @throws as {@link replaceAt}
 */
export function replaceAll(
  root: object,
  changes: readonly (readonly [name: string, before: unknown, after: unknown])[],
): void {
  const undos: (() => void)[] = [];
  try {
    for (const [name, before, after] of changes) {
      replaceAt(root, name, after);
      undos.push(() => replaceAt(root, name, before));
    }
  } catch (error) {
    for (const undo of undos) undo();
    throw error;
  }
}

function parsePath(name: string): Step[] {
  const pattern = /\['(.*?)'\](?=$|\.|\[)|\[(\d+)\]|(?:^|\.)([^.[]+)/gy;
  const steps: Step[] = [];
  while (pattern.lastIndex < name.length) {
    const match = pattern.exec(name);
    if (!match) throw nowhere(name);
    const [, key, index, field] = match;
    if (key !== undefined) steps.push({ key });
    else if (index !== undefined) steps.push({ index: Number(index) });
    else steps.push({ field: field ?? '' });
  }
  return steps;
}

function stepInto(owner: unknown, step: Step, name: string): unknown {
  if (typeof owner !== 'object' || owner === null) throw nowhere(name);
  if ('key' in step && owner instanceof Map) return owner.get(mapKey(owner, step.key)) as unknown;
  return Reflect.get(owner, propertyOf(step)) as unknown;
}

function propertyOf(step: Step): string | number {
  if ('field' in step) return step.field;
  return 'index' in step ? step.index : step.key;
}

/** Names show keys as text; the map may hold a number. */
function mapKey(map: ReadonlyMap<unknown, unknown>, text: string): unknown {
  if (map.has(text)) return text;
  return [...map.keys()].find((key) => String(key) === text) ?? text;
}

function frozen(name: string): CodedError {
  return new CodedError(
    'program/predictor-not-found',
    `nothing can be replaced at '${name}': what holds it is frozen`,
    {
      fields: { name },
    },
  );
}

function nowhere(name: string): CodedError {
  return new CodedError('program/predictor-not-found', `there is nothing to replace at '${name}'`, {
    fields: { name },
  });
}
