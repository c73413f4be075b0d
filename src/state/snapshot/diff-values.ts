/** Where two values differ: the paths inside them. */

/** A step into a value: a name, an index, the key of a Map shown as text, or `size` of a Set. */
export type PathStep = string | number;

export interface ValueChange {
  readonly type: 'added' | 'removed' | 'changed';
  /** From the value inwards; empty: the whole value. */
  readonly path: readonly PathStep[];
  /** What was there; absent for `added`. */
  readonly before?: unknown;
  /** What is there; absent for `removed`. */
  readonly after?: unknown;
}

type Parts = ReadonlyMap<PathStep, unknown>;

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.prototype.toString.call(value);
}

/** What lies inside; undefined for values that are compared as a whole. */
function partsOf(value: object): Parts | undefined {
  if (Array.isArray(value)) return new Map(Object.entries(value).map(([name, item]) => [toStep(name), item]));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return undefined;
  if (value instanceof Map) return mapParts(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return new Map(Object.entries(value));
  return undefined;
}

function mapParts(map: ReadonlyMap<unknown, unknown>): Parts | undefined {
  const keys = [...map.keys()];
  // other keys have no text that tells them apart
  return keys.every((key) => typeof key === 'string') ? (map as Parts) : undefined;
}

function toStep(name: string): PathStep {
  const index = Number(name);
  return String(index) === name ? index : name;
}

class Differ {
  readonly changes: ValueChange[] = [];
  isTruncated = false;
  readonly #limit: number;
  readonly #isEqual: (a: unknown, b: unknown) => boolean;
  readonly #open = new Set<object>();

  constructor(limit: number, isEqual: (a: unknown, b: unknown) => boolean) {
    this.#limit = limit;
    this.#isEqual = isEqual;
  }

  compare(before: unknown, after: unknown, path: readonly PathStep[]): void {
    if (this.isTruncated || this.#isEqual(before, after)) return;
    const isComparable =
      typeof before === 'object' && typeof after === 'object' && before !== null && after !== null;
    if (isComparable && kindOf(before) === kindOf(after)) {
      const [left, right] = [partsOf(before), partsOf(after)];
      // in a cycle the difference was, or will be, found where it lies
      if (this.#open.has(before)) return;
      if (left && right) {
        this.#open.add(before);
        this.#compareParts(left, right, path);
        this.#open.delete(before);
        return;
      }
    }
    this.#add({ type: 'changed', path, before, after });
  }

  #compareParts(left: Parts, right: Parts, path: readonly PathStep[]): void {
    const found = this.changes.length;
    for (const [step, before] of left) {
      if (right.has(step)) this.compare(before, right.get(step), [...path, step]);
      else this.#add({ type: 'removed', path: [...path, step], before });
    }
    for (const [step, after] of right)
      if (!left.has(step)) this.#add({ type: 'added', path: [...path, step], after });
    // only their order differs, or what two parts share
    if (this.changes.length === found && !this.isTruncated && path.length === 0) {
      this.#add({ type: 'changed', path, before: undefined, after: undefined });
    }
  }

  #add(change: ValueChange): void {
    if (this.changes.length >= this.#limit) this.isTruncated = true;
    else this.changes.push(change);
  }
}

/**
 * The differences of two values, at most `limit` of them.
 * @param isEqual whether two values are the same in every respect
 */
export function diffValues(
  before: unknown,
  after: unknown,
  limit: number,
  isEqual: (a: unknown, b: unknown) => boolean,
): { readonly changes: readonly ValueChange[]; readonly isTruncated: boolean } {
  const differ = new Differ(limit, isEqual);
  differ.compare(before, after, []);
  const { changes, isTruncated } = differ;
  return { changes, isTruncated };
}
