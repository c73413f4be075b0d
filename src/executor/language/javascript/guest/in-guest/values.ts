/** Values in and out of the interpreter, as `sandbox/value-codec.ts` writes them. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type { GuestValues, HarnessHost } from './harness-types.ts';

/** Runs in the interpreter. */
export function installValues(host: HarnessHost): GuestValues {
  type Tree = unknown;
  type Entry = [string, unknown];
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { isView } = ArrayBuffer;
  const { create, defineProperty, entries, getPrototypeOf, hasOwn, keys } = Object;
  const { isFinite } = Number;
  const NativePromise = Promise;
  const NativeMap = Map;
  const NativeSet = Set;
  const NativeDate = Date;
  const NativeError = Error;
  const NativeTypeError = TypeError;
  const { apply } = Reflect;
  const textOfInteger = BigInt.prototype.toString;
  const eachOfMap = Map.prototype.forEach;
  const eachOfSet = Set.prototype.forEach;
  const timeOf = Date.prototype.getTime;
  const sliceOf = ArrayBuffer.prototype.slice;
  let depthLimit = 64;
  let bytesLeft = 0;
  let keep = (bytes: ArrayBuffer): number => host.keep(bytes);

  // a guest may replace methods of its arrays, and still gets its result: what is below uses none of them where it counts

  const mapped = <T, R>(items: readonly T[], work: (item: T, index: number) => R): R[] => {
    const results: R[] = [];
    for (let index = 0; index < items.length; index += 1) results[index] = work(items[index] as T, index);
    return results;
  };

  const pairsOf = (map: ReadonlyMap<unknown, unknown>): [unknown, unknown][] => {
    const pairs: [unknown, unknown][] = [];
    apply(eachOfMap, map, [(item: unknown, key: unknown) => (pairs[pairs.length] = [key, item])]);
    return pairs;
  };

  const itemsOf = (set: ReadonlySet<unknown>): unknown[] => {
    const items: unknown[] = [];
    apply(eachOfSet, set, [(item: unknown) => (items[items.length] = item)]);
    return items;
  };

  const numberArrays: Record<string, new (buffer: ArrayBuffer) => ArrayBufferView> = {
    b: Int8Array,
    h: Int16Array,
    H: Uint16Array,
    i: Int32Array,
    I: Uint32Array,
    q: BigInt64Array,
    Q: BigUint64Array,
    f: Float32Array,
    d: Float64Array,
  };

  const decode = (tree: Tree): unknown => {
    if (typeof tree !== 'object' || tree === null) return tree;
    if (isArray(tree)) {
      const items: unknown[] = [];
      for (let index = 0; index < tree.length; index += 1) items[index] = decode(tree[index]);
      return items;
    }
    if (hasOwn(tree, '$')) return decodeTagged(tree as Record<string, unknown>);
    return decodeEntries(entries(tree));
  };

  /** Defined, not assigned: a key called __proto__ stays a key. */
  const decodeEntries = (pairs: readonly Entry[]): object => {
    const object = {};
    for (let index = 0; index < pairs.length; index += 1) {
      const key = (pairs[index] as Entry)[0];
      const value = decode((pairs[index] as Entry)[1]);
      if (key === '__proto__') {
        defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
      } else (object as Record<string, unknown>)[key] = value;
    }
    return object;
  };

  const decodeTagged = (tree: Record<string, unknown>): unknown => {
    const value = tree['v'];
    switch (tree['$']) {
      case 'int':
        return decodeInteger(value as string);
      case 'float':
        return Number(value);
      case 'date':
        return new NativeDate(value as number);
      case 'text':
        return parse(host.takeText(tree['b'] as number));
      case 'bytes':
        return new Uint8Array(host.takeBytes(tree['b'] as number));
      case 'array':
        return new (numberArrays[tree['t'] as string] as (typeof numberArrays)['b'] & {})(
          host.takeBytes(tree['b'] as number),
        );
      case 'map': {
        const map = new NativeMap();
        mapped(value as Entry[], (pair) => map.set(decode(pair[0]), decode(pair[1])));
        return map;
      }
      case 'set': {
        const set = new NativeSet();
        mapped(value as unknown[], (item) => set.add(decode(item)));
        return set;
      }
      default:
        return decodeEntries(value as Entry[]);
    }
  };

  const decodeInteger = (text: string): bigint =>
    text[0] === '-' ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);

  class CannotCross extends NativeTypeError {}
  class ResultTooLarge extends NativeError {}

  const tag = (kind: string, fields: Record<string, unknown>): Tree => {
    const tree = create(null) as Record<string, unknown>;
    tree['$'] = kind;
    mapped(keys(fields), (key) => (tree[key] = fields[key]));
    return tree;
  };

  const count = (sizeBytes: number): void => {
    bytesLeft -= sizeBytes;
    if (bytesLeft < 0) throw new ResultTooLarge('the result is larger than it may be');
  };

  const encode = (value: unknown, path: string, depth: number): Tree => {
    switch (typeof value) {
      case 'undefined':
        return null;
      case 'boolean':
        return value;
      case 'string':
        count(value.length);
        return value;
      case 'number':
        return encodeNumber(value);
      case 'bigint':
        return tag('int', {
          v:
            value < 0n
              ? `-0x${apply(textOfInteger, -value, [16])}`
              : `0x${apply(textOfInteger, value, [16])}`,
        });
      case 'object':
        return value === null ? null : encodeObject(value, path, depth);
      case 'function':
      case 'symbol':
        throw new CannotCross(`${path}: a value of type ${typeof value} cannot leave the sandbox`);
    }
  };

  const encodeNumber = (value: number): Tree => {
    count(2);
    if (isFinite(value) && (value !== 0 || 1 / value > 0)) return value;
    if (value === 0) return tag('float', { v: '-0.0' });
    return tag('float', { v: value !== value ? 'nan' : value > 0 ? 'inf' : '-inf' });
  };

  const encodeObject = (value: object, path: string, depth: number): Tree => {
    if (depth < 0) throw new CannotCross(`${path}: nested too deep, or it contains itself`);
    if (isArray(value)) return encodeItems(value, path, depth);
    if (isView(value) || value instanceof ArrayBuffer) return encodeBytes(value);
    if (value instanceof NativeDate) return encodeDate(value, path);
    if (value instanceof NativeMap) {
      const pairs = mapped(pairsOf(value as Map<unknown, unknown>), (pair) => [
        encode(pair[0], `${path} key`, depth - 1),
        encode(pair[1], `${path} entry`, depth - 1),
      ]);
      return tag('map', { v: pairs });
    }
    if (value instanceof NativeSet) {
      return tag('set', { v: encodeItems(itemsOf(value as Set<unknown>), path, depth) });
    }
    return encodeRecord(value, path, depth);
  };

  const encodeItems = (items: readonly unknown[], path: string, depth: number): Tree => {
    // no function of its own for the items: deep values must not run out of stack
    const trees: Tree[] = [];
    for (let index = 0; index < items.length; index += 1) {
      trees[index] = encode(items[index], `${path}[${index}]`, depth - 1);
    }
    count(items.length);
    return trees;
  };

  const encodeRecord = (value: object, path: string, depth: number): Tree => {
    const prototype = getPrototypeOf(value) as object | null;
    const name = (prototype?.constructor as { name?: unknown } | undefined)?.name;
    if (value instanceof NativePromise || value instanceof WeakMap || value instanceof WeakSet) {
      throw new CannotCross(`${path}: a value of type ${String(name)} cannot leave the sandbox`);
    }
    if (value instanceof NativeError) {
      return encodeRecord({ name: value.name, message: value.message }, path, depth);
    }
    const members = create(null) as Record<string, Tree>;
    const names = keys(value);
    for (let index = 0; index < names.length; index += 1) {
      const key = names[index] as string;
      const item = (value as Record<string, unknown>)[key];
      if (item === undefined) continue;
      count(key.length);
      members[key] = encode(item, `${path}.${key}`, depth - 1);
    }
    return hasOwn(members, '$') ? tag('dict', { v: entries(members) }) : members;
  };

  const encodeDate = (value: Date, path: string): Tree => {
    const atMs = apply(timeOf, value, []) as number;
    if (atMs !== atMs) throw new CannotCross(`${path}: a date that is none cannot leave the sandbox`);
    return tag('date', { v: atMs });
  };

  const encodeBytes = (value: ArrayBuffer | ArrayBufferView): Tree => {
    count(value.byteLength);
    let code: string | undefined;
    for (const name in numberArrays) if (value instanceof (numberArrays[name] as never)) code = name;
    const isWhole = value instanceof ArrayBuffer;
    const buffer = isWhole ? value : (value.buffer as ArrayBuffer);
    const start = isWhole ? 0 : value.byteOffset;
    const index = keep(apply(sliceOf, buffer, [start, start + value.byteLength]));
    return code === undefined ? tag('bytes', { b: index }) : tag('array', { t: code, b: index });
  };

  const settle = (result: unknown): string => {
    const text = stringify(result);
    if (text.length > Math.max(0, bytesLeft) + 100_000) throw new ResultTooLarge();
    return text;
  };

  const apart = <T>(sizeBytes: number, place: typeof keep, work: () => T): T => {
    const [leftBefore, keepBefore] = [bytesLeft, keep];
    bytesLeft = sizeBytes;
    keep = place;
    try {
      return work();
    } finally {
      bytesLeft = leftBefore;
      keep = keepBefore;
    }
  };

  return {
    apart,
    begin(valueDepth, resultBytes): void {
      depthLimit = valueDepth;
      bytesLeft = resultBytes;
    },
    decode,
    encode: (value, path) => encode(value, path, depthLimit),
    settle,
    isOwn: (error) => error instanceof CannotCross,
    isTooLarge: (error) => error instanceof ResultTooLarge,
    mapped,
  };
}
