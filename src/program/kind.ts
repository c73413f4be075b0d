/** Brands by registered symbol: two copies of the library, or two bundles, recognise each other's objects. */

export const moduleBrand: unique symbol = Symbol.for('vivarium.module');
export const parameterBrand: unique symbol = Symbol.for('vivarium.parameter');
export const predictorBrand: unique symbol = Symbol.for('vivarium.predictor');
export const runBrand: unique symbol = Symbol.for('vivarium.run');

/** True when `value` is an object that carries the brand, itself or through its class. */
export function hasBrand(value: unknown, brand: symbol): value is object {
  return typeof value === 'object' && value !== null && brand in value;
}

/** Puts a brand on all instances of a class, invisible to whoever lists their fields. */
export function giveBrand(prototype: object, brand: symbol): void {
  Object.defineProperty(prototype, brand, { value: true });
}

/** A plain object: made by a literal or without a prototype. Plain objects of other realms count too. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
