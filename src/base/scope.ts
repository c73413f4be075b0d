/** Owned resources, released in reverse order; a failing release never hides another. */
import './disposal.ts';

export type Release = () => void | PromiseLike<void>;

/** Owner of what was acquired. Disposing twice is harmless; adding after disposal releases at once. */
export class Scope implements AsyncDisposable {
  #releases: Release[] = [];
  #disposing: Promise<void> | undefined;

  get isDisposed(): boolean {
    return this.#disposing !== undefined;
  }

  /** Registers a release. When the scope is already disposed, the release runs now. */
  add(release: Release): void {
    if (this.#disposing) void Promise.resolve().then(release);
    else this.#releases.push(release);
  }

  /** Keeps a disposable until the scope ends and returns it. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.add(async () => {
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    });
    return resource;
  }

  /** Releases everything, last first. Rejects with the only error, or with an AggregateError of all. */
  dispose(): Promise<void> {
    this.#disposing ??= this.#releaseAll();
    return this.#disposing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #releaseAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const release of this.#releases.splice(0).toReversed()) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} releases failed`);
  }
}
