/** What a session has left, told from outside its runs: the names of its variables, and whether the next interpreter would miss something. */
/* oxlint-disable max-lines-per-function -- one closure, because its text is all that reaches the interpreter */
import type { GuestLeavings, GuestTools } from './harness-types.ts';

interface Clock {
  now(): number;
  readonly timeOrigin: number;
}

/** Runs in the interpreter, as the last part of ours but the harness itself. */
export function installLeavings(tools: GuestTools): GuestLeavings {
  const { stringify } = JSON;
  const { create, defineProperty, getOwnPropertyDescriptor, getOwnPropertyNames, hasOwn, is } = Object;
  const { apply, get } = Reflect;
  const NativeReference = WeakRef;
  const targetOf = get(NativeReference.prototype, 'deref') as () => object | undefined;
  const clock = get(globalThis, 'performance') as Clock;
  const nativeNow = get(clock, 'now') as () => number;
  const maxNames = 10_000;

  /** An object is held weakly: to be told from another one it need not live on. */
  interface Mark {
    readonly value: unknown;
    readonly reference: WeakRef<object> | undefined;
  }
  const own = create(null) as Record<string, true>;
  const installed = getOwnPropertyNames(globalThis);
  for (let index = 0; index < installed.length; index += 1) own[installed[index] as string] = true;
  // set when a run begins
  own['SUBMIT'] = true;

  let marks = create(null) as Record<string, Mark>;
  let markCount = 0;
  let shiftMs = 0;
  let leftMs = 0;

  const now = (): number => (apply(nativeNow, clock, []) as number) + shiftMs;
  const performance: Clock = {
    now,
    // not copied: each interpreter has its own, whatever memory it was made from
    get timeOrigin() {
      return clock.timeOrigin;
    },
  };
  const shown = { value: performance, writable: true, enumerable: true, configurable: true };
  defineProperty(globalThis, 'performance', shown);

  const isObject = (value: unknown): value is object =>
    (typeof value === 'object' && value !== null) || typeof value === 'function';

  /** No getter is called. */
  const valueOf = (name: string): unknown => {
    const property = getOwnPropertyDescriptor(globalThis, name);
    return property && hasOwn(property, 'value') ? property.value : undefined;
  };

  const isMarked = (mark: Mark | undefined, value: unknown): boolean =>
    mark !== undefined &&
    (mark.reference ? apply(targetOf, mark.reference, []) === value : is(mark.value, value));

  const markOf = (value: unknown): Mark =>
    isObject(value)
      ? { value: undefined, reference: new NativeReference(value) }
      : { value, reference: undefined };

  const tell = (): string => {
    const all = getOwnPropertyNames(globalThis);
    const names: string[] = [];
    const next = create(null) as Record<string, Mark>;
    let hasChanged = false;
    for (let index = 0; index < all.length && names.length < maxNames; index += 1) {
      const name = all[index] as string;
      const value = valueOf(name);
      if (own[name] || tools.isBound(name, value)) continue;
      const mark = marks[name];
      const isSame = isMarked(mark, value);
      next[name] = isSame ? (mark as Mark) : markOf(value);
      hasChanged = hasChanged || !isSame;
      names[names.length] = name;
    }
    hasChanged = hasChanged || names.length !== markCount;
    marks = next;
    markCount = names.length;
    leftMs = now();
    return stringify({ names, hasChanged });
  };

  return {
    tell,
    resume(): void {
      // the clock below began anew
      shiftMs += leftMs - now();
    },
  };
}
