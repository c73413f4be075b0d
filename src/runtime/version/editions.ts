/**
 * Classes that a worker was given to serve, also those in whose place others are served by now. A family that did not take what came
 * after them goes on with them, also when one of its actors starts again.
 */
import { randomHex, systemRandom } from '../../platform/index.ts';
import type { Edition } from '../module-protocol.ts';
import type { ModuleClass, ModuleVersion } from './module-class.ts';

/** Classes that are kept at most; the oldest are forgotten. What they were imported from stays in memory anyway. */
export const maxEditions: number = 1_000;

interface Kept {
  readonly kind: string;
  readonly served: ModuleVersion & { readonly edition: Edition };
}

export class Editions {
  /** Those of one worker are not those of another. */
  readonly #worker = randomHex(systemRandom, 8);
  readonly #kept = new Map<string, Kept>();
  #count = 0;

  /** The class under its edition; one that was served before keeps the one it had. */
  add(kind: string, { version, Class, url }: ModuleVersion): ModuleVersion {
    for (const { served, kind: of } of this.#kept.values())
      if (of === kind && served.Class === Class && served.version === version) return served;
    const edition: Edition = { id: `${this.#worker}-${++this.#count}`, mark: markOf(Class) };
    const served = { version, Class, url, edition };
    this.#kept.set(edition.id, { kind, served });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxEditions && oldest !== undefined) this.#kept.delete(oldest);
    return served;
  }

  /** The same class, or the newest of the same text: only that can be known of one that ran in another worker. */
  find(kind: string, version: string | undefined, { id, mark }: Edition): ModuleVersion | undefined {
    const exact = this.#kept.get(id);
    if (exact) return exact.served;
    return [...this.#kept.values()].findLast(
      ({ kind: of, served }) => of === kind && served.version === version && served.edition.mark === mark,
    )?.served;
  }
}

/** Of its text, and of that of the classes that it extends up to `Module`. What they call elsewhere is not in it. */
function markOf(Class: ModuleClass): string {
  let [mark, length] = [0x81_1c_9d_c5, 0];
  for (const one of ownClassesOf(Class)) {
    const text = Function.prototype.toString.call(one);
    length += text.length;
    // FNV-1a
    for (let at = 0; at < text.length; at++) mark = Math.imul(mark ^ text.charCodeAt(at), 0x01_00_01_93);
  }
  return `${length}-${mark >>> 0}`;
}

function* ownClassesOf(Class: object): Iterable<object> {
  for (let one = Class; ;) {
    const above: unknown = Object.getPrototypeOf(one);
    // `Module` extends nothing
    if (typeof above !== 'function' || above === Function.prototype) return;
    yield one;
    one = above;
  }
}
