/** Deep copies of modules. Constructors do not run: a copy has the class of the original and a copy of each field. */
import { hasBrand, moduleBrand, parameterBrand } from './kind.ts';
import type { Module } from './module.ts';
import type { Parameter } from './parameter.ts';
import { isContainer, unwrap } from './view.ts';

/**
 * Modules, parameters and containers are copied, each once, so that shared parts stay shared and cycles stay cycles. Other
 * objects, language models and functions are the same in both. Private `#members` and functions bound to the original are beyond it.
 */
export function copyModule<M extends Module>(module: M): M {
  return copyOf(module, new Map()) as M;
}

type Copies = Map<object, unknown>;

function copyOf(given: unknown, copies: Copies): unknown {
  const value = unwrap(given);
  if (typeof value !== 'object' || value === null) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (hasBrand(value, parameterBrand)) return remember(value, (value as Parameter).clone(), copies);
  if (hasBrand(value, moduleBrand)) return copyFields(value as Module, copies);
  return isContainer(value) ? copyContainer(value, copies) : value;
}

function remember<T>(original: object, copy: T, copies: Copies): T {
  copies.set(original, copy);
  return copy;
}

function copyFields(module: Module, copies: Copies): Module {
  const copy = remember(module, Object.create(Object.getPrototypeOf(module) as object) as Module, copies);
  module.copyMarksTo(copy);
  for (const key of Object.keys(module)) {
    const descriptor = Object.getOwnPropertyDescriptor(module, key) as PropertyDescriptor;
    if ('value' in descriptor) descriptor.value = copyOf(descriptor.value, copies);
    Object.defineProperty(copy, key, descriptor);
  }
  return copy;
}

function copyContainer(value: object, copies: Copies): unknown {
  if (Array.isArray(value)) {
    const list = remember(value, [] as unknown[], copies);
    for (const item of value as readonly unknown[]) list.push(copyOf(item, copies));
    return list;
  }
  if (value instanceof Map) {
    const map = remember(value, new Map<unknown, unknown>(), copies);
    for (const [key, item] of value) map.set(key, copyOf(item, copies));
    return map;
  }
  const object = remember(
    value,
    Object.create(Object.getPrototypeOf(value) as object | null) as object,
    copies,
  );
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(object, key, {
      value: copyOf(item, copies),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return object;
}
