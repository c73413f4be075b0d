/** Rich values: what a guest shows beside what it prints. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DisplayValue } from '../display.ts';
import type { Executor } from '../executor.ts';
import { expectType, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { have, lawOf } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

const allowed = { displays: 5, displayBytes: 10_000 };

/** @param open makes an executor of the kind under test */
export function displayLaws(open: OpenExecutor, { displays, number }: Spelling): void {
  let executor: Executor;
  beforeAll(() => {
    executor = open({ limits: allowed });
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  lawOf(
    displays,
    'a rich value is shown as it is made, in its order with the text',
    async ({ inOrder, plain }) => {
      const seen: (string | DisplayValue)[] = [];
      const outcome = await executor.execute(
        inOrder,
        {},
        { onOutput: ({ text }) => void seen.push(text), onDisplay: (value) => void seen.push(value) },
      );
      expect(seen.map((part) => (typeof part === 'string' ? part : { ...part }))).toEqual([
        'a\n',
        { 'text/html': '<b>é</b>', 'text/plain': plain },
        'b\n',
      ]);
      expect(outcome.displays).toHaveLength(1);
      expect(Object.getPrototypeOf(outcome.displays?.[0])).toBe(null);
      expect(Object.isFrozen(outcome.displays?.[0])).toBe(true);
    },
  );

  lawOf(displays, 'the last value is shown where it has more than text', async ({ last, unseen }) => {
    const outcome = expectType(await executor.execute(last[0]), 'returned');
    expect(outcome.value).toEqual(last[1]);
    expect(outcome.displays).toMatchObject([{ 'text/html': '<b>é</b>' }]);
    expect((await executor.execute(unseen)).displays).toBeUndefined();
  });

  lawOf(
    displays,
    'bundles and pictures are shown; types that are not known are left out',
    async ({ bundles }) => {
      const shown = (await executor.execute(bundles)).displays?.map((value) => ({ ...value }));
      expect(shown).toEqual([
        {
          'image/png': 'iVBORw==',
          'application/json': expect.any(String) as string,
          'text/plain': expect.any(String) as string,
        },
        { 'text/plain': 't' },
      ]);
      expect(JSON.parse(shown?.[0]?.['application/json'] ?? '')).toEqual({ a: [1] });
    },
  );

  lawOf(
    have(displays)?.table ?? { lacks: 'tables are made by a library of the guest’s' },
    'a table is shown for machines, for a page and as text',
    async (code) => {
      const [bundle] = (await executor.execute(code)).displays ?? [];
      expect(JSON.parse(bundle?.['application/vnd.dataresource+json'] ?? '')).toEqual({
        schema: {
          fields: [
            { name: 'a', type: 'number' },
            { name: 'b', type: 'string' },
          ],
        },
        data: [
          { a: 1, b: '<x>' },
          { a: 2, b: null },
        ],
      });
      expect(bundle?.['text/html']).toBe(
        '<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>' +
          '<tr><td>1</td><td>&lt;x&gt;</td></tr><tr><td>2</td><td></td></tr></tbody></table>',
      );
      expect(bundle?.['text/plain']).toContain('<x>');
    },
  );

  test.each(have(displays)?.floods ?? [])(
    '%s ends the run, by its bound',
    async (_name, code, count, bound) => {
      const outcome = await executor.execute(code, {}, { timeoutMs: 5000 });
      expect(outcome).toMatchObject({ type: 'exceeded', limit: 'display', allowed: allowed[bound] });
      expect(outcome.displays?.length ?? 0).toBe(count);
      expect(await valueOf(executor, number(1))).toBe(1);
    },
  );

  lawOf(
    displays,
    'a listener that throws, and an object that answers every name, harm nobody',
    async ({ one, mock }) => {
      const onDisplay = (): void => {
        throw new Error('mine');
      };
      expect(await executor.execute(one, {}, { onDisplay })).toMatchObject({ value: 2 });
      expect(await executor.execute(mock)).toMatchObject({ value: 3 });
    },
  );
}
