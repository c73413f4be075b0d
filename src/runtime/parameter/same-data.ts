/** Whether two pieces of plain data hold the same. */

type Members = Readonly<Record<string, unknown>>;
type Pair = readonly [unknown, unknown];

const asItIs = (value: object): object => value;
const unboxed = (value: object): object => [value.valueOf()];
const ofError = ({ name, message, cause }: Error): object => ({ name, message, cause });

/** What lies inside, by kind. Others are looked into as bytes, or not at all. */
const insides: Readonly<Record<string, (value: never) => object>> = {
  '[object Object]': asItIs,
  '[object Array]': asItIs,
  '[object Map]': (map: ReadonlyMap<unknown, unknown>) => [...map].flat(),
  '[object Set]': (set: ReadonlySet<unknown>) => [...set],
  '[object Date]': (date: Date) => [date.getTime()],
  '[object RegExp]': (expression: RegExp) => [String(expression)],
  '[object Error]': ofError,
  '[object DOMException]': ofError,
  '[object Boolean]': unboxed,
  '[object Number]': unboxed,
  '[object String]': unboxed,
  '[object BigInt]': unboxed,
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function bytesOf(value: object): Uint8Array | undefined {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : undefined;
}

/** The members that must be the same for both to be; undefined when they differ. */
function pairsOf(a: object, b: object): readonly Pair[] | undefined {
  const kind = Object.prototype.toString.call(a);
  if (kind !== Object.prototype.toString.call(b)) return undefined;
  const [bytes, others] = [bytesOf(a), bytesOf(b)];
  if (bytes && others)
    return bytes.length === others.length && bytes.every((byte, at) => byte === others[at]) ? [] : undefined;
  // SAFETY of the cast: the kind says what it is
  const inside = insides[kind] as ((value: object) => object) | undefined;
  return inside && membersOf(inside(a) as Members, inside(b) as Members);
}

function membersOf(a: Members, b: Members): readonly Pair[] | undefined {
  const names = Object.keys(a);
  const isSameShape = names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name));
  if (!isSameShape) return undefined;
  // holes have no names
  if (Array.isArray(a) && a.length !== (b as unknown as readonly unknown[]).length) return undefined;
  return names.map((name) => [a[name], b[name]]);
}

/** Objects that are the same if all that was compared so far is. */
class Classes {
  readonly #parents = new Map<object, object>();

  /** False when they were in one class already. */
  join(a: object, b: object): boolean {
    const [left, right] = [this.#rootOf(a), this.#rootOf(b)];
    if (left !== right) this.#parents.set(left, right);
    return left !== right;
  }

  #rootOf(object: object): object {
    let root = object;
    for (let next = this.#parents.get(root); next; next = this.#parents.get(root)) {
      const above = this.#parents.get(next);
      // halves the way for whoever comes next
      if (above) this.#parents.set(root, above);
      root = next;
    }
    return root;
  }
}

/**
 * By content: lists, objects, bytes, dates, expressions, errors, and Maps and Sets in the order of what they hold. What is anything else
 * must be the same thing. Takes time in proportion to the objects, however often they are met and whatever circles they are in
 * (after Hopcroft and Karp, A linear algorithm for testing equivalence of finite automata, 1971).
 */
export function sameData(a: unknown, b: unknown): boolean {
  if (!isObject(a) || !isObject(b)) return Object.is(a, b);
  const classes = new Classes();
  const open: Pair[] = [[a, b]];
  for (let pair = open.pop(); pair; pair = open.pop()) {
    const [left, right] = pair;
    if (Object.is(left, right)) continue;
    if (!isObject(left) || !isObject(right)) return false;
    if (!classes.join(left, right)) continue;
    const pairs = pairsOf(left, right);
    if (!pairs) return false;
    for (const each of pairs) open.push(each);
  }
  return true;
}
