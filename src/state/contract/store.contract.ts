/* oxlint-disable vitest/expect-expect, vitest/valid-title -- the laws hold the expectations and the titles */
/** The laws of `Store`: what every implementation must pass. */
import { describe, test } from 'vitest';
import { appendLaws } from './append-laws.contract.ts';
import { boundLaws } from './bound-laws.contract.ts';
import { contentLaws } from './content-laws.contract.ts';
import { historyLaws } from './history-laws.contract.ts';
import { lifeLaws } from './life-laws.contract.ts';
import { revisionLaws } from './revision-laws.contract.ts';
import type { OpenStore, StoreLaw } from './store-law.contract.ts';

export type { OpenStore, StoreLaw, WantedStore } from './store-law.contract.ts';

/** Every law, for those who run them without {@link describeStore}. */
export const storeLaws: readonly StoreLaw[] = [
  ...contentLaws,
  ...revisionLaws,
  ...appendLaws,
  ...historyLaws,
  ...boundLaws,
  ...lifeLaws,
];

/** One test per law. `open` must give an empty store each time, and as it is wanted if it can be. */
export function describeStore(name: string, open: OpenStore): void {
  describe(`${name} keeps the laws of a store`, () => {
    for (const each of storeLaws) test(each.name, () => each.check(open), 30_000);
  });
}
