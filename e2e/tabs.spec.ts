/** Two tabs of one origin, and one record that both write. */
import type { Page } from '@playwright/test';
import type * as state from '../src/state/index.ts';
import { startSourceServer } from './fixtures/source-server.ts';
import type { SourceServer } from './fixtures/source-server.ts';
import { expect, test } from './fixtures/test.ts';

type State = typeof state;

/** What a tab keeps between two calls into it. */
interface Tab {
  readonly store: state.Store;
  readonly records: state.Records;
  readonly lease?: state.WriterLease;
  /** What came of each write of a tab that never stops writing. */
  readonly outcomes: string[];
}

declare global {
  var stateOfTab: State;
  var tab: Tab;
}

let server: SourceServer;
test.beforeAll(async () => {
  server = await startSourceServer();
});
test.afterAll(() => server[Symbol.asyncDispose]());

async function openTab(page: Page): Promise<Page> {
  await page.goto(server.url);
  await page.evaluate(async () => {
    // held in a variable: it is an address of the page, not of this file
    const entry: string = '/src/state/index.ts';
    globalThis.stateOfTab = (await import(entry)) as State;
    const store = await globalThis.stateOfTab.openIndexedDbStore({ name: 'tabs' });
    globalThis.tab = { store, records: globalThis.stateOfTab.createRecords(store), outcomes: [] };
  });
  return page;
}

/** Tabs of one context: one origin's storage, locks and notices. */
async function openTabs(first: Page): Promise<readonly [Page, Page]> {
  return [await openTab(first), await openTab(await first.context().newPage())];
}

test('two tabs save one record: of two that started from the same version one is refused, and says why', async ({
  page,
}) => {
  const tabs = await openTabs(page);
  await page.evaluate(() => globalThis.tab.records.save('draft', { tags: ['first'] }));
  const save = (tab: Page): Promise<unknown> =>
    tab.evaluate(async () => {
      const { records } = globalThis.tab;
      try {
        const { version } = await records.save('draft', { tags: ['mine'] }, { expectedVersion: '1' });
        return { version };
      } catch (error) {
        const { code, fields } = error as { code: string; fields: { expected: unknown; actual: unknown } };
        return { code, expected: fields.expected, actual: fields.actual };
      }
    });
  const outcomes = await Promise.all(tabs.map(save));
  expect(outcomes).toContainEqual({ version: '2' });
  expect(outcomes).toContainEqual({ code: 'state/conflict', expected: '1', actual: '2' });
  for (const tab of tabs) {
    expect(await tab.evaluate(async () => (await globalThis.tab.records.versions('draft')).length)).toBe(2);
  }
});

test('two tabs whose changes can be merged lose none of them, and each hears of the other', async ({
  page,
}) => {
  const tabs = await openTabs(page);
  const each = 15;
  await page.evaluate(() => globalThis.tab.records.save('draft', { tags: [] }));
  const heard = tabs.map((tab) =>
    tab.evaluate(
      () =>
        new Promise<boolean>((resolve) => {
          globalThis.tab.store.watch(['record'], ({ isLocal }) => isLocal || resolve(true));
        }),
    ),
  );
  const work = tabs.map((tab, at) =>
    tab.evaluate(
      async ([name, count]) => {
        type Draft = { readonly tags: readonly string[] };
        const { records } = globalThis.tab;
        for (let index = 0; index < count; index++) {
          const found = await records.load<Draft>('draft');
          if (!found) throw new Error('there is no draft');
          const tags = [...found.state.tags, `${name} ${index}`];
          await records.save<Draft>(
            'draft',
            { tags },
            {
              expectedVersion: found.version,
              onConflict: (ours, theirs) => ({ tags: [...new Set([...(theirs?.tags ?? []), ...ours.tags])] }),
            },
          );
        }
      },
      [`tab ${at}`, each] as const,
    ),
  );
  await Promise.all(work);
  expect(await Promise.all(heard)).toEqual([true, true]);
  const wanted = tabs.flatMap((_, at) =>
    Array.from({ length: each }, (_unused, index) => `tab ${at} ${index}`),
  );
  for (const tab of tabs) {
    const found = await tab.evaluate(async () => {
      const { records } = globalThis.tab;
      const { version, state: draft } = (await records.load<{ tags: string[] }>('draft'))!;
      return { version, tags: draft.tags, damaged: (await records.verify('draft')).damaged };
    });
    expect(found).toMatchObject({ version: String(2 * each + 1), damaged: [] });
    expect(found.tags.toSorted()).toEqual(wanted.toSorted());
  }
});

test('a tab that was frozen while it had the lease wakes, writes on, and changes nothing', async ({
  page,
}) => {
  const [first, second] = await openTabs(page);
  await first.evaluate(async () => {
    const { store, records } = globalThis.tab;
    const lease = await globalThis.stateOfTab.acquireWriterLease(store, 'draft');
    const leased = globalThis.stateOfTab.createRecords(lease.store);
    globalThis.tab = { store, records, lease, outcomes: [] };
    const { outcomes } = globalThis.tab;
    const write = async (index: number): Promise<void> => {
      outcomes.push(
        await leased.save('draft', { by: 'the first', index }).then(
          () => 'done',
          (error: unknown) => (error as { code: string }).code,
        ),
      );
      setTimeout(() => void write(index + 1), 20);
    };
    void write(0);
  });
  const written = (tab: Page): Promise<{ readonly by: string; readonly index: number } | undefined> =>
    tab.evaluate(
      async () => (await globalThis.tab.records.load<{ by: string; index: number }>('draft'))?.state,
    );
  await expect.poll(async () => (await written(second))?.index ?? 0).toBeGreaterThan(2);
  const devtools = await first.context().newCDPSession(first);
  // without a screen every page counts as visible, and the browser freezes none of those: this stops it between two instructions, wherever it is
  await devtools.send('Debugger.enable');
  /** In the middle of a transaction it would keep the other from writing: no browser leaves a tab frozen so. */
  const stopBetweenTransactions = async (): Promise<boolean> => {
    await devtools.send('Debugger.pause');
    const isFree = await second.evaluate(() => {
      const write = globalThis.tab.store.commit([{ type: 'put', key: ['probe'], value: 0 }]);
      const giveUp = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 2000));
      return Promise.race([write.then(() => true), giveUp]);
    });
    if (!isFree) await devtools.send('Debugger.resume');
    return isFree;
  };
  await expect.poll(stopBetweenTransactions).toBe(true);
  const still = async (): Promise<boolean> => {
    const before = await written(second);
    await second.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
    return (await written(second))?.index === before?.index;
  };
  await expect.poll(still).toBe(true);
  const tokens = await second.evaluate(async () => {
    const { store, records } = globalThis.tab;
    const { acquireWriterLease, createRecords } = globalThis.stateOfTab;
    // it still has its lock: nobody woke it
    const refused = await acquireWriterLease(store, 'draft', { waitTimeoutMs: 100 }).then(
      () => 'had',
      (error: unknown) => (error as { code: string }).code,
    );
    const lease = await acquireWriterLease(store, 'draft', { waitTimeoutMs: 100, whenBusy: 'steal' });
    await createRecords(lease.store).save('draft', { by: 'the second', index: -1 });
    globalThis.tab = { store, records, lease, outcomes: [] };
    return { refused, token: lease.token };
  });
  expect(tokens).toMatchObject({ refused: 'state/lease-busy' });
  await devtools.send('Debugger.resume');
  const last = (): Promise<string | undefined> => first.evaluate(() => globalThis.tab.outcomes.at(-1));
  await expect.poll(last).toBe('state/fenced');
  // it goes on trying
  const tried = await first.evaluate(() => globalThis.tab.outcomes.length);
  await expect.poll(() => first.evaluate(() => globalThis.tab.outcomes.length)).toBeGreaterThan(tried + 3);
  expect(await last()).toBe('state/fenced');
  for (const tab of [first, second]) expect(await written(tab)).toEqual({ by: 'the second', index: -1 });
  const ended = await first.evaluate(async () => {
    const { lease } = globalThis.tab;
    return { how: await lease?.ended, isAborted: lease?.signal.aborted, token: lease?.token };
  });
  expect(ended.how).toMatch(/stolen|fenced/u);
  expect(ended.isAborted).toBe(true);
  expect(tokens.token).toBeGreaterThan(ended.token ?? Infinity);
  // who has the lease now writes on
  await second.evaluate(() => globalThis.tab.lease?.commit([{ type: 'put', key: ['after'], value: 1 }]));
});
