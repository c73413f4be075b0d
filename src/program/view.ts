/**
 * Views: what `this` is inside `forward`. A view looks like the module it stands for; the modules that it declares, also in
 * lists, maps and plain objects, come out bound to the run, so that `this.answer.call(x)` carries the run by itself.
 * Everything else comes out as it is. No global takes part: two runs of one module have two views.
 */
import { isPlainObject, moduleBrand } from './kind.ts';
import { programLimits } from './limits.ts';
import type { CallSettings } from './settings.ts';
import type { Run } from './run.ts';

/** What the views of one call share. */
export class ViewScope {
  /** Absent for `module.with(settings)` outside a run. */
  readonly run: Run | undefined;
  /** Given with `with`, for the calls made through the view. */
  readonly settings: CallSettings | undefined;
  // weak maps cost more than the rest of an empty call: most need none
  #root: { readonly target: object; readonly view: object } | undefined;
  #views: WeakMap<object, object> | undefined;
  #data: WeakMap<object, number> | undefined;

  constructor(run: Run | undefined, settings: CallSettings | undefined) {
    this.run = run;
    this.settings = settings;
  }

  /** One view for each object. */
  viewOf(target: object): object | undefined {
    return this.#root?.target === target ? this.#root.view : this.#views?.get(target);
  }

  keepView(target: object, view: object): void {
    if (this.#root) (this.#views ??= new WeakMap()).set(target, view);
    else this.#root = { target, view };
  }

  /** Of a container without modules its size when it was searched. */
  searchedSizeOf(container: object): number | undefined {
    return this.#data?.get(container);
  }

  keepSearched(container: object, size: number): void {
    (this.#data ??= new WeakMap()).set(container, size);
  }
}

export interface ViewLink {
  readonly target: object;
  readonly scope: ViewScope;
  /** Where the target is in the program, such as `hops[0].predict`; empty for the root. */
  readonly path: string;
}

const viewLink: unique symbol = Symbol.for('vivarium.view');

export function createViewScope(run: Run | undefined, settings?: CallSettings): ViewScope {
  return new ViewScope(run, settings);
}

/** The target and scope of a view; undefined for anything else. */
export function linkOf(value: unknown): ViewLink | undefined {
  if (typeof value !== 'object' || value === null || !(viewLink in value)) return undefined;
  return value[viewLink] as ViewLink;
}

/** What a view stands for; anything else as it is. */
export function unwrap<T>(value: T): T {
  return (linkOf(value)?.target ?? value) as T;
}

/** The view of a module in a scope. A view of another scope is bound anew. */
export function bindView<T extends object>(value: T, scope: ViewScope, path: string): T {
  const target = unwrap(value);
  const known = scope.viewOf(target);
  if (known) return known as T;
  const view = createView({ target, scope, path });
  scope.keepView(target, view);
  return view as T;
}

export type Container =
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | Readonly<Record<string, unknown>>;

export function isContainer(value: unknown): value is Container {
  return Array.isArray(value) || value instanceof Map || isPlainObject(value);
}

/** The values in a list, map or plain object, with the path of each. */
export function* itemsOf(container: Container): Iterable<readonly [string, unknown]> {
  if (Array.isArray(container)) {
    for (const [index, item] of container.entries()) yield [`[${index}]`, item];
  } else {
    const entries = container instanceof Map ? container.entries() : Object.entries(container);
    for (const [key, item] of entries) yield [`['${String(key)}']`, item];
  }
}

/** Whether a value that `accepts` takes is among the first 4,096 values of the container, nested ones included. */
export function holds(container: Container, accepts: (item: unknown) => boolean): boolean {
  const queue: Container[] = [container];
  const seen = new Set<unknown>(queue);
  let left = programLimits.containerScan;
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const [, item] of itemsOf(next)) {
      if (left-- <= 0) return false;
      if (accepts(item)) return true;
      if (isContainer(item) && !seen.has(item)) {
        seen.add(item);
        queue.push(item);
      }
    }
  }
  return false;
}

const isModuleLike = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && moduleBrand in value;

/** Modules, and containers that hold modules, come out bound; everything else as it is. */
function bindValue(value: unknown, scope: ViewScope, path: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = scope.viewOf(value);
  if (known) return known;
  const link = linkOf(value);
  if (link?.scope === scope) return value;
  if (link) return bindView(link.target, scope, path);
  if (isModuleLike(value)) return bindView(value, scope, path);
  return isContainer(value) && isDeclared(value, scope) ? bindView(value, scope, path) : value;
}

function isDeclared(container: Container, scope: ViewScope): boolean {
  const size = sizeOf(container);
  if (scope.searchedSizeOf(container) === size) return false;
  if (holds(container, isModuleLike)) return true;
  scope.keepSearched(container, size);
  return false;
}

function sizeOf(container: Container): number {
  if (Array.isArray(container)) return container.length;
  return container instanceof Map ? container.size : Object.keys(container).length;
}

/** Views never reach the module itself: a view becomes its target, a new container with views in it is copied without them. */
function unwrapAll(value: unknown): unknown {
  const link = linkOf(value);
  if (link) return link.target;
  if (!isContainer(value) || !holds(value, (item) => linkOf(item) !== undefined)) return value;
  if (Array.isArray(value)) return value.map(unwrapAll);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, unwrapAll(item)]));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrapAll(item)]));
}

function createView(link: ViewLink): object {
  const { target } = link;
  // A stand-in instead of the target: a frozen target would forbid the proxy to answer with bound modules.
  if (Array.isArray(target)) return new Proxy([], new ViewHandler(link, `${link.path}[`, ']'));
  if (target instanceof Map) return new Proxy(new Map(), mapHandlerOf(link, target));
  if (isPlainObject(target)) return new Proxy({}, new ViewHandler(link, `${link.path}['`, "']"));
  const standIn = Object.create(Object.getPrototypeOf(target) as object | null) as object;
  return new Proxy(standIn, new ViewHandler(link, link.path === '' ? '' : `${link.path}.`, ''));
}

/** A class, so that a view costs one object and no closures. */
class ViewHandler implements ProxyHandler<object> {
  readonly #link: ViewLink;
  readonly #before: string;
  readonly #after: string;

  constructor(link: ViewLink, before: string, after: string) {
    this.#link = link;
    this.#before = before;
    this.#after = after;
  }

  get(_: object, key: PropertyKey, receiver: unknown): unknown {
    const link = this.#link;
    if (key === viewLink) return link;
    const value: unknown = Reflect.get(link.target, key, receiver);
    if (typeof value !== 'object' || value === null) return value;
    return bindValue(value, link.scope, `${this.#before}${String(key)}${this.#after}`);
  }

  set(_: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    return Reflect.set(this.#link.target, key, value, receiver);
  }

  has(_: object, key: PropertyKey): boolean {
    return key === viewLink || Reflect.has(this.#link.target, key);
  }

  deleteProperty(_: object, key: PropertyKey): boolean {
    return Reflect.deleteProperty(this.#link.target, key);
  }

  ownKeys(): (string | symbol)[] {
    return Reflect.ownKeys(this.#link.target);
  }

  getOwnPropertyDescriptor(standIn: object, key: PropertyKey): PropertyDescriptor | undefined {
    return descriptorOf(this.#link.target, standIn, key);
  }

  defineProperty(_: object, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    const change = 'value' in descriptor ? { ...descriptor, value: unwrapAll(descriptor.value) } : descriptor;
    return Reflect.defineProperty(this.#link.target, key, change);
  }

  preventExtensions(): boolean {
    return false;
  }
}

/** As the target's, but as changeable as the stand-in's: the rules of proxies want it so. Only a list's length is in both. */
function descriptorOf(target: object, standIn: object, key: PropertyKey): PropertyDescriptor | undefined {
  const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
  if (!descriptor) return undefined;
  return Object.hasOwn(standIn, key)
    ? { ...descriptor, writable: true }
    : { ...descriptor, configurable: true };
}

function mapHandlerOf(link: ViewLink, map: Map<unknown, unknown>): ProxyHandler<Map<unknown, unknown>> {
  const { scope, path } = link;
  const bound = (key: unknown, item: unknown): unknown => bindValue(item, scope, `${path}['${String(key)}']`);
  function* entries(): IterableIterator<[unknown, unknown]> {
    for (const [key, item] of map) yield [key, bound(key, item)];
  }
  function* values(): IterableIterator<unknown> {
    for (const [key, item] of map) yield bound(key, item);
  }
  const members = (view: unknown): Record<PropertyKey, unknown> => ({
    [viewLink]: link,
    size: map.size,
    get: (key: unknown) => bound(key, map.get(unwrap(key))),
    has: (key: unknown) => map.has(unwrap(key)),
    set: (key: unknown, item: unknown) => (map.set(unwrap(key), unwrapAll(item)), view),
    delete: (key: unknown) => map.delete(unwrap(key)),
    clear: () => map.clear(),
    keys: () => map.keys(),
    values,
    entries,
    [Symbol.iterator]: entries,
    forEach: (visit: (item: unknown, key: unknown, whole: unknown) => void) => {
      for (const [key, item] of entries()) visit(item, key, view);
    },
  });
  return {
    get: (_, key, view) => {
      const own = members(view);
      return Object.hasOwn(own, key) ? own[key] : (Reflect.get(map, key) as unknown);
    },
    has: (_, key) => key === viewLink || Reflect.has(map, key),
  };
}
