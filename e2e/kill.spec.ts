/** The kill buttons end the worker behind the runtime's back: only monitors and the watchdog may notice. */
import type { Page } from '@playwright/test';
import { heaviest, heaviestQuestion, readPenguins } from './fixtures/penguins.ts';
import type { Playground } from './fixtures/playground.ts';
import { expect, test } from './fixtures/test.ts';

interface Seen {
  readonly status: readonly string[];
  /** Restarts left. */
  readonly budget: readonly string[];
}

/** Notes whatever the tree shows of the module and of its supervisor's budget; a restart is over in a moment. */
async function watchTree(page: Page): Promise<() => Promise<Seen>> {
  await page.evaluate(() => {
    const root = document.querySelector('vivarium-supervision-tree')?.shadowRoot;
    const seen = { status: [] as string[], budget: [] as string[] };
    const note = (list: string[], value: string | null | undefined): void => {
      if (list.at(-1) !== (value ?? 'absent')) list.push(value ?? 'absent');
    };
    const look = (): void => {
      note(seen.status, root?.querySelector('[data-kind=module]')?.getAttribute('data-status'));
      note(seen.budget, root?.querySelector('[data-left]')?.getAttribute('data-left'));
    };
    look();
    new MutationObserver(look).observe(root ?? document, {
      subtree: true,
      childList: true,
      attributes: true,
    });
    Object.assign(globalThis, { seenInTree: seen });
  });
  return () => page.evaluate(() => Reflect.get(globalThis, 'seenInTree') as Seen);
}

async function expectRestart(playground: Playground, seen: () => Promise<Seen>): Promise<void> {
  await expect(playground.module).toContainText('1 restart', { timeout: 60_000 });
  await expect(playground.module).toContainText('running');
  // the worker is lost, the module restarts, the module runs
  await expect.poll(async () => (await seen()).status).toEqual(['running', 'restarting', 'running']);
  const log = playground.region('Events');
  for (const type of ['worker-lost', 'supervisor-restart']) await expect(log).toContainText(type);
}

/** What the tree says of a kill: why it restarted what and when, read with the keyboard, and the budget that it cost. */
async function expectHistory(playground: Playground, reason: string): Promise<void> {
  const { page, restarts, restartHistory } = playground;
  await expect(playground.module).toContainText('Ended last');
  await expect(restarts).toHaveCount(0);
  await playground.supervisor.focus();
  await page.keyboard.press('ArrowDown');
  await expect(restartHistory).toBeFocused();
  await expect(restartHistory).toHaveAttribute('aria-expanded', 'false');
  await page.keyboard.press('ArrowRight');
  await expect(restarts).toHaveText([new RegExp(`ask-table\\s+${reason}`, 'u')]);
  const time = await restarts.locator('time').getAttribute('datetime');
  const ageMs = Date.now() - Date.parse(time ?? '');
  expect(ageMs).toBeGreaterThanOrEqual(0);
  expect(ageMs).toBeLessThan(60_000);
  await expect(restarts.locator('time')).toContainText(String(new Date().getFullYear()));
  await page.keyboard.press('ArrowLeft');
  await expect(restarts).toHaveCount(0);
}

/** One of three was spent, and came back when the window had passed, with nothing else happening. */
async function expectRefill(playground: Playground, seen: () => Promise<Seen>): Promise<void> {
  await expect.poll(async () => (await seen()).budget).toEqual(['3', '2', '3']);
  await expect(playground.supervisor).toContainText('3 of 3 restarts left in this 5 s window');
}

const ways = [
  ['Close from inside', 'its worker ended'],
  ['Endless loop', 'its worker did not answer in time and was killed'],
] as const;

for (const [way, reason] of ways) {
  test(`${way}: the module is restarted with its parameters and answers again`, async ({ playground }) => {
    const { page } = playground;
    await playground.setParameterAndWait('sampleRows', '17');
    await playground.setParameterAndWait('temperature', '0.25');
    const worker = (await playground.worker.locator('.name').textContent()) ?? '';
    const seen = await watchTree(page);
    await expect(playground.supervisor).toContainText('3 of 3 restarts left in this 5 s window');

    await playground.kill(way);
    await expectRestart(playground, seen);
    await expectHistory(playground, reason);
    await expectRefill(playground, seen);

    await expect(playground.worker.locator('.name')).not.toHaveText(worker);
    // the module itself was asked for these values, after its restart
    const note = playground.notices.filter({ hasText: 'took over' });
    await expect(note).toContainText('the parameters it had');
    await expect(note).toContainText('sampleRows 17');
    await expect(note).toContainText('temperature 0.25');
    await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('17');
    expect(await playground.history('sampleRows')).toEqual(['17']);

    await playground.askAndExpect(heaviestQuestion, ...heaviest(readPenguins()).facts);
  });

  test(`${way}: a call that was open ends with actor/peer-died, and the next one works`, async ({
    playground,
    models,
  }) => {
    await playground.useEndpoint({ address: models.baseUrl, model: 'never' });
    await playground.ask('Does this ever end?');
    await expect.poll(() => models.stats.open).toBe(1);

    await playground.kill(way);
    await playground.expectFailure('actor/peer-died', 'its supervisor starts it again');
    await expect(playground.module).toContainText('1 restart');
    await expect(playground.module).toContainText('running');
    // nobody waits for that answer any more
    await expect.poll(() => models.stats.open).toBe(0);

    await playground.useScriptedModel();
    await playground.askAndExpect(heaviestQuestion, ...heaviest(readPenguins()).facts);
  });
}
