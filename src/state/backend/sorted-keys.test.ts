import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedKeys } from './sorted-keys.ts';

test('whatever comes and goes, a range is what sorting and filtering would give', () => {
  const key = fc.stringMatching(/^[a-c]{1,4}$/);
  const step = fc.record({
    keys: fc.uniqueArray(key, { maxLength: 60 }),
    from: key,
    below: fc.option(key, { nil: undefined }),
    isFromIncluded: fc.boolean(),
    limit: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const sorted = new SortedKeys();
      const model = new Set<string>();
      for (const { keys, from, below, isFromIncluded, limit } of steps) {
        for (const each of keys) {
          if (model.delete(each)) sorted.remove(each);
          else {
            model.add(each);
            sorted.add(each);
          }
        }
        const expected = [...model].filter(
          (each) => (isFromIncluded ? each >= from : each > from) && (below === undefined || each < below),
        );
        expect(sorted.range(from, isFromIncluded, below, limit)).toEqual(expected.toSorted().slice(0, limit));
      }
    }),
  );
});
