/** The kill buttons end the worker behind the runtime's back: only monitors and the watchdog may notice. */
import type { Page } from '@playwright/test';
import { heaviest, heaviestQuestion, readPenguins } from './fixtures/penguins.ts';
import type { Playground } from './fixtures/playground.ts';
import { expect, test } from './fixtures/test.ts';

/** Notes every status that the tree shows for the module; a restart is over in a moment. */
async function watchStatus(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const root = document.querySelector('vivarium-supervision-tree')?.shadowRoot;
    const seen: string[] = [];
    const look = (): void => {
      const status = root?.querySelector('[data-kind=module]')?.getAttribute('data-status') ?? 'absent';
      if (seen.at(-1) !== status) seen.push(status);
    };
    look();
    new MutationObserver(look).observe(root ?? document, {
      subtree: true,
      childList: true,
      attributes: true,
    });
    Object.assign(globalThis, { seenStatus: seen });
  });
  return () => page.evaluate(() => Reflect.get(globalThis, 'seenStatus') as string[]);
}

async function expectRestart(playground: Playground, seen: () => Promise<string[]>): Promise<void> {
  await expect(playground.module).toContainText('1 restart', { timeout: 60_000 });
  await expect(playground.module).toContainText('running');
  // the worker is lost, the module restarts, the module runs
  await expect.poll(seen).toEqual(['running', 'restarting', 'running']);
  const log = playground.region('Events');
  for (const type of ['worker-lost', 'supervisor-restart']) await expect(log).toContainText(type);
}

for (const way of ['Close from inside', 'Endless loop'] as const) {
  test(`${way}: the module is restarted with its parameters and answers again`, async ({ playground }) => {
    const { page } = playground;
    await playground.setParameterAndWait('sampleRows', '17');
    await playground.setParameterAndWait('temperature', '0.25');
    const worker = (await playground.worker.locator('.name').textContent()) ?? '';
    const seen = await watchStatus(page);

    await playground.kill(way);
    await expectRestart(playground, seen);

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
