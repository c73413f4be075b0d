/** What the repair of JSON asks about values it has found. */
import type { DictValue, PythonValue } from './python-value.ts';

/** What Python calls false: nothing, zero, empty text and empty containers. */
export function isEmpty(value: PythonValue): boolean {
  if (typeof value !== 'object' || value === null) return !value;
  if (value.kind === 'float') return value.value === 0;
  return value.kind === 'dict' ? value.entries.length === 0 : value.items.length === 0;
}

/** The same keys and lengths with the same types all the way down, whatever the values. */
export function hasSameShape(one: PythonValue, other: PythonValue): boolean {
  if (kindOf(one) !== kindOf(other)) return false;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return true;
  if (one.kind === 'dict' && other.kind === 'dict') return hasSameKeys(one, other);
  if (!('items' in one) || !('items' in other)) return true;
  const twins = other.items;
  if (one.items.length !== twins.length) return false;
  return one.items.every((item, index) => hasSameShape(item, twins[index] as PythonValue));
}

function hasSameKeys(one: DictValue, other: DictValue): boolean {
  const twins = new Map(other.entries);
  if (one.entries.length !== twins.size) return false;
  return one.entries.every(([key, value]) => {
    const twin = twins.get(key);
    return twin !== undefined && hasSameShape(value, twin);
  });
}

function kindOf(value: PythonValue): string {
  if (value === null) return 'none';
  return typeof value === 'object' ? value.kind : typeof value;
}
