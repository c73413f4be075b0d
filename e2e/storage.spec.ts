/** What is kept, and the way back: snapshots, a comparison before a restore, one file out and in again. */
import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import { Playground } from './fixtures/playground.ts';
import { expect, test } from './fixtures/test.ts';

const storage = (page: Page): Locator => page.getByRole('region', { name: 'Storage', exact: true });
const rows = (playground: Playground): Locator => playground.parameter('sampleRows').getByRole('textbox');

test('change, snapshot, change, compare, restore, reload, export, clear, import', async ({
  playground,
}, info) => {
  const { page } = playground;
  const panel = storage(page);
  await expect(panel.getByRole('meter', { name: 'Storage used' })).toBeVisible();
  await expect(panel).toContainText(/used/u);
  await playground.setParameterAndWait('sampleRows', '11');

  await panel.getByLabel('Name of a new snapshot').fill('eleven rows');
  await panel.getByRole('button', { name: 'Take a snapshot' }).click();
  await expect(panel.getByRole('list', { name: 'Snapshots' })).toContainText('eleven rows');
  await playground.setParameterAndWait('sampleRows', '23');

  // what would change is shown first, and nothing has changed by that
  const compare = panel.getByRole('button', { name: 'Compare eleven rows' });
  await compare.click();
  const preview = panel.getByRole('region', { name: /Go back to “eleven rows”/u });
  await expect(preview.getByRole('heading')).toBeFocused();
  await expect(preview.getByRole('row', { name: /sampleRows/u })).toContainText(/23\s+11/u);
  await preview.getByRole('button', { name: 'Cancel' }).click();
  await expect(preview).toBeHidden();
  await expect(rows(playground)).toHaveValue('23');
  await compare.click();
  await preview.getByRole('button', { name: 'Restore' }).click();
  await expect(rows(playground)).toHaveValue('11');
  await expect(panel.getByRole('status').filter({ hasText: 'Restored' })).toBeVisible();

  await page.reload();
  await playground.expectReady();
  await expect(rows(playground)).toHaveValue('11');
  await expect(panel.getByRole('list', { name: 'Snapshots' })).toContainText('eleven rows');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    panel.getByRole('button', { name: 'Export everything' }).click(),
  ]);
  const file = info.outputPath('kept.vivarium');
  await download.saveAs(file);
  expect((await readFile(file)).length).toBeGreaterThan(100);

  const origin = new URL(page.url()).origin;
  await page.goto('about:blank');
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
  const cleared = await Playground.open(page);
  await expect(rows(cleared)).toHaveValue('5');
  await expect(panel.getByText('None yet.')).toBeVisible();

  // a file that is none changes nothing, and says what it is
  const picker = panel.getByLabel('Import a file');
  await expect(picker).toBeEnabled();
  await picker.setInputFiles({ name: 'no.vivarium', mimeType: '', buffer: Buffer.from('{}') });
  await expect(panel.getByRole('alert').filter({ hasText: 'state/format-unknown' })).toBeVisible();
  await expect(picker).toBeEnabled();
  await picker.setInputFiles(file);
  await panel
    .getByRole('region', { name: /Go back to “kept”/u })
    .getByRole('button', { name: 'Restore' })
    .click();
  await expect(rows(cleared)).toHaveValue('11');
});

test('any earlier time is compared and restored with the keyboard alone', async ({ playground }) => {
  const { page } = playground;
  const panel = storage(page);
  await playground.setParameterAndWait('sampleRows', '12');
  // the input tells seconds
  await page.waitForTimeout(2_100);
  const then = await page.evaluate(() => {
    const now = new Date();
    return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  });
  await page.waitForTimeout(1_100);
  await playground.setParameterAndWait('sampleRows', '30');
  await panel.getByLabel(/Date and time/u).fill(then);
  await panel.getByLabel(/Date and time/u).press('Enter');
  const preview = panel.getByRole('region', { name: /Go back to/u });
  await expect(preview.getByRole('row', { name: /sampleRows/u })).toContainText(/30\s+12/u);
  await expect(preview.getByRole('heading')).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(preview.getByRole('button', { name: 'Restore' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(rows(playground)).toHaveValue('12');
  // the button that had the focus is gone
  await expect(panel.getByRole('heading', { name: 'Snapshots' })).toBeFocused();
});
