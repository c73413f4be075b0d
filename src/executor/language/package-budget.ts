/** What the packages of one run have taken of its limits, and whose turn it is to take more. */

/** Counted when packages are ready for the guest. */
export interface PackageUse {
  readonly packages: number;
  readonly files: number;
  /** Unpacked. */
  readonly sizeBytes: number;
}

/** One for each run: a guest may ask often, and at once. */
export class PackageBudget {
  #used: PackageUse = { packages: 0, files: 0, sizeBytes: 0 };
  #fetchedBytes = 0;
  #listedBytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  get used(): PackageUse {
    return this.#used;
  }

  /** Of wheels, also of those that came to nothing. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** Of pages of an index. */
  get listedBytes(): number {
    return this.#listedBytes;
  }

  take({ packages, files, sizeBytes }: PackageUse): void {
    const { used } = this;
    this.#used = {
      packages: used.packages + packages,
      files: used.files + files,
      sizeBytes: used.sizeBytes + sizeBytes,
    };
  }

  takeFetched(sizeBytes: number): void {
    this.#fetchedBytes += sizeBytes;
  }

  takeListed(sizeBytes: number): void {
    this.#listedBytes += sizeBytes;
  }

  /** After everything that came before, however it ended. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
