/** Whatever is thrown at the page: a typed message, nothing acknowledged lost, and the next run works. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { heaviest, heaviestQuestion, readPenguins } from './fixtures/penguins.ts';
import { Playground } from './fixtures/playground.ts';
import { BrowserProcess, createProfile } from './fixtures/profile.ts';
import { readRawStorage } from './fixtures/storage.ts';
import { expect, test } from './fixtures/test.ts';

const truth = heaviest(readPenguins());
const csv = (text: string) => ({ name: 'mine.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });

test('a malformed CSV is refused at its place, and the table before it stays', async ({ playground }) => {
  const refusal = playground.region('Data').getByRole('alert').filter({ hasText: 'app/csv-' });
  const cases = [
    { text: 'a,b\n1,2\n3\n', says: ['app/csv-row-ragged', 'Row 3 has 1 cells'] },
    { text: 'a,b\n1,2\n"3,4\n', says: ['app/csv-quote-unbalanced', 'row 3, column 1'] },
    { text: 'a,a\n1,2\n', says: ['app/csv-header-invalid', 'both named “a”'] },
    { text: 'a,b\n', says: ['app/csv-empty'] },
    { text: '', says: ['app/csv-empty'] },
    { text: 'a,b\n1,\0\n', says: ['app/csv-not-text'] },
  ];
  for (const { text, says } of cases) {
    await playground.loadFile(csv(text));
    for (const words of says) await expect(refusal).toContainText(words);
    await expect(playground.region('Data')).toContainText('penguins.csv');
  }
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);

  await playground.loadFile(csv('species,body_mass_g\nSmall,1.5\nLarge,11.5\n'));
  await expect(refusal).toHaveCount(0);
  await playground.askAndExpect(heaviestQuestion, 'Large', '11.5 g', '10 g more than Small');
});

test('a CSV of 50 MB is refused before it is read', async ({ playground }) => {
  await using folder = await createProfile();
  const path = join(folder.folder, 'large.csv');
  const file = await open(path, 'w');
  const chunk = `${'3750,Adelie\n'.repeat(80_000)}`;
  await file.write('body_mass_g,species\n');
  let sizeBytes = 0;
  while (sizeBytes < 50_000_000) sizeBytes += (await file.write(chunk)).bytesWritten;
  await file.close();

  await playground.loadFile(path);
  const refusal = playground.region('Data').getByRole('alert').filter({ hasText: 'app/csv-' });
  await expect(refusal).toContainText('app/csv-too-large');
  await expect(refusal).toContainText('at most 20.0 MB');
  await expect(playground.region('Data')).toContainText('penguins.csv');
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);
});

test('Python that loops, eats memory, prints without end or raises ends as a typed failure', async ({
  playground,
  models,
}) => {
  await playground.useEndpoint({ address: models.baseUrl, model: 'table-model' });
  await playground.setParameterAndWait('timeLimitMs', '2000');
  const cases = [
    { code: 'while True: pass', says: ['app/python-exceeded', 'its time limit (2 s)'] },
    {
      code: 'try:\n  while True: pass\nexcept BaseException:\n  while True: pass',
      says: ['app/python-exceeded', 'time limit'],
    },
    {
      code: 'held = []\nwhile True: held.append(bytearray(10_000_000))',
      says: [/MemoryError|memory limit/u],
    },
    { code: 'for _ in range(1000): print("x" * 100_000)', says: ['app/python-exceeded', 'output limit'] },
    { code: '1 / 0', says: ['app/python-failed', 'ZeroDivisionError'] },
    { code: 'def broken(:', says: ['app/python-failed', 'SyntaxError'] },
    { code: 'import socket\nsocket.create_connection(("example.org", 80))', says: [/not allowed|Error/u] },
  ];
  for (const { code, says } of cases) {
    await test.step(code, async () => {
      await playground.ask(`python: ${code}`);
      await playground.expectFailure(...says);
      await playground.askAndExpect('python: {"rows": len(rows)}', `rows has ${readPenguins().length}`);
    });
  }
  await expect(playground.module).toContainText('0 restarts');
});

test('a second tab is refused, leaves the first alone, and takes over when it is closed', async ({
  context,
  playground,
}) => {
  await playground.setParameterAndWait('sampleRows', '17');
  const second = new Playground(await context.newPage());
  await second.page.goto('/');
  const refusal = second.notices.filter({ hasText: 'runtime/module-running-elsewhere' });
  await expect(refusal).toContainText('Close the other one');

  await playground.askAndExpect(heaviestQuestion, ...truth.facts);
  await playground.setParameterAndWait('sampleRows', '18');

  await playground.page.close();
  await second.expectReady();
  await expect(refusal).toHaveCount(0);
  await expect(second.parameter('sampleRows').getByRole('textbox')).toHaveValue('18');
  await second.askAndExpect(heaviestQuestion, ...truth.facts);
});

test('a second tab takes a copy: both run, and neither changes the other', async ({
  context,
  playground,
}) => {
  await playground.setParameterAndWait('sampleRows', '17');
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);
  const stored = async (page: Page): Promise<string> => (await readRawStorage(page)).indexedDb;
  await expect.poll(() => stored(playground.page)).toContain(truth.facts[1]);

  const second = new Playground(await context.newPage());
  await second.page.goto('/');
  await second.notices.getByRole('button', { name: 'Work on a separate copy' }).click();
  await second.page.waitForURL(/\?copy=[\da-f]{8}$/u);
  const copyUrl = second.page.url();
  await second.expectReady();
  const banner = second.page.getByRole('complementary', { name: 'Separate copy' });
  await expect(banner).toContainText('This is a separate copy');
  await expect(second.page).toHaveTitle(/^Copy · /u);
  await expect(second.notices).toHaveCount(0);

  await test.step('it began with what the first had', async () => {
    await expect(second.parameter('sampleRows').getByRole('textbox')).toHaveValue('17');
    expect(await second.history('sampleRows')).toEqual(['17']);
    for (const fact of truth.facts) await expect(second.answer).toContainText(fact);
    await expect(second.region('Answer')).toContainText('read back from the store');
  });

  await test.step('both run, each with its own', async () => {
    await second.setParameterAndWait('sampleRows', '23');
    await second.replaceSource((source) => `${source}\n// of the copy\n`);
    await playground.setParameterAndWait('temperature', '0.75');
    const island = 'Which island has the most penguins, and of which species?';
    await second.askAndExpect(island, 'Biscoe');
    await playground.askAndExpect(heaviestQuestion, ...truth.facts);
    await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('17');
    await expect.poll(() => stored(second.page)).toContain('of the copy');
  });

  await test.step('and each finds its own again', async () => {
    for (const { page } of [playground, second]) await page.reload();
    await playground.expectReady();
    await second.expectReady();
    expect(second.page.url()).toBe(copyUrl);
    await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('17');
    await expect(playground.parameter('temperature').getByRole('textbox')).toHaveValue('0.75');
    for (const fact of truth.facts) await expect(playground.answer).toContainText(fact);
    expect(await playground.source()).not.toContain('of the copy');
    await expect(second.parameter('sampleRows').getByRole('textbox')).toHaveValue('23');
    await expect(second.parameter('temperature').getByRole('textbox')).not.toHaveValue('0.75');
    await expect(second.answer).toContainText('Biscoe');
    expect(await second.source()).toContain('of the copy');
  });

  await test.step('the way back is there', async () => {
    await playground.page.close();
    await banner.getByRole('link', { name: 'Open the original' }).click();
    await second.expectReady();
    await expect(banner).toHaveCount(0);
    await expect(second.parameter('sampleRows').getByRole('textbox')).toHaveValue('17');
  });
});

test('an address that names no copy is refused, and nothing is stored under it', async ({ page }) => {
  const playground = new Playground(page);
  await page.goto('/?copy=..%2Fother');
  await expect(playground.notices).toContainText('app/copy-id-invalid');
  await expect(playground.notices).toContainText('Open the page without “copy”');
  expect(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).toEqual([]);
});

test('an example that never arrives ends with a typed message and can be asked for again', async ({
  page,
}) => {
  const playground = new Playground(page);
  let isStuck = true;
  await page.route('**/data/penguins.csv', (route) => (isStuck ? undefined : route.continue()));
  await page.goto('/');
  const refusal = playground.region('Data').getByRole('alert').filter({ hasText: 'app/example-unavailable' });
  await expect(refusal).toContainText('did not arrive within 15 s');
  isStuck = false;
  await refusal.getByRole('button', { name: 'Try again' }).click();
  await playground.expectReady();
  await expect(refusal).toHaveCount(0);
});

const refusals = {
  'that throws': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('The user denied storage', 'SecurityError');
    };
  },
  'that fails later': () => {
    const original = Reflect.get(IDBFactory.prototype, 'open') as IDBFactory['open'];
    IDBFactory.prototype.open = function (this: IDBFactory, name: string): IDBOpenDBRequest {
      const request = original.call(this, `refused-${name}`, 1);
      const fail = new Event('error');
      Object.defineProperty(request, 'error', { value: new DOMException('internal', 'UnknownError') });
      queueMicrotask(() => request.dispatchEvent(fail));
      return request;
    };
  },
} as const;

for (const [how, refuse] of Object.entries(refusals)) {
  test(`IndexedDB ${how}: the page says so and works in memory`, async ({ page }) => {
    await page.addInitScript(refuse);
    const playground = await Playground.open(page);
    await expect(playground.notices).toContainText('refuses storage here, so nothing outlives this page');
    await expect(playground.fact('Storage')).toContainText('Memory only');
    await playground.setParameterAndWait('sampleRows', '17');
    await playground.askAndExpect(heaviestQuestion, ...truth.facts);
    // it said the truth: nothing outlives the page
    await page.reload();
    await playground.expectReady();
    await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('5');
  });
}

test('without WebGPU the page names its device and works', async ({ playground }) => {
  const adapter = await playground.page.evaluate(async () => (await navigator.gpu?.requestAdapter()) ?? null);
  expect(adapter).toBeNull();
  await expect(playground.fact('Numbers')).toContainText('wasm');
  await expect(playground.region('Numbers').locator('[data-part=matrix]')).toBeAttached();
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);
});

/** Writes noise, in smaller and smaller pieces, until the browser takes no more of it. */
function fillStorage(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((done, fail) => {
      const request = indexedDB.open('filler', 1);
      request.addEventListener('upgradeneeded', () =>
        request.result.createObjectStore('noise', { autoIncrement: true }),
      );
      request.addEventListener('success', () => done(request.result));
      request.addEventListener('error', () => fail(request.error ?? new Error('refused')));
    });
    const write = (sizeBytes: number): Promise<boolean> =>
      new Promise((done) => {
        const transaction = database.transaction('noise', 'readwrite');
        transaction.addEventListener('complete', () => done(true));
        transaction.addEventListener('abort', () => done(false));
        transaction.objectStore('noise').add(crypto.getRandomValues(new Uint8Array(sizeBytes)));
      });
    let writtenBytes = 0;
    for (const sizeBytes of [50_000, 10_000, 1_000, 100, 1])
      while (await write(sizeBytes)) writtenBytes += sizeBytes;
    database.close();
    return writtenBytes;
  });
}

test('a full store refuses with a typed message, keeps what it acknowledged, and works again when there is room', async ({
  context,
  page,
  baseURL,
}) => {
  // before the first database is opened: the browser remembers for a while how much room there was
  const session = await context.newCDPSession(page);
  const origin = new URL(baseURL ?? '').origin;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 500_000 });
  const playground = await Playground.open(page);
  const field = playground.parameter('sampleRows');
  await playground.setParameterAndWait('sampleRows', '17');

  expect(await fillStorage(page)).toBeGreaterThan(50_000);
  await playground.setParameter('sampleRows', '18');
  await expect(field.getByRole('alert')).toContainText('state/quota-exceeded');
  await expect(field.getByRole('alert')).toContainText('the store does not');
  // the last run cannot be kept either, and the page says so
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);
  const notice = playground.notices.filter({ hasText: 'state/quota-exceeded' });
  await expect(notice).toContainText('Free space in this browser');

  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await page.reload();
  await playground.expectReady();
  await expect(field.getByRole('textbox')).toHaveValue('17');
  await playground.setParameterAndWait('sampleRows', '19');
  await page.reload();
  await playground.expectReady();
  await expect(field.getByRole('textbox')).toHaveValue('19');
});

test('a page whose heap ran out comes back with what it acknowledged', async ({ baseURL }) => {
  const url = `${baseURL ?? ''}/`;
  await using profile = await createProfile();
  await using browser = await BrowserProcess.launch(profile.folder, ['--js-flags=--max-old-space-size=256']);
  const { page } = browser;
  const playground = await Playground.open(page, url);
  await playground.setParameterAndWait('sampleRows', '17');
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);

  const crashed = page.waitForEvent('crash', { timeout: 60_000 });
  const exhaust = page.evaluate(() => {
    const held: unknown[] = [];
    for (;;) held.push(Array.from({ length: 100_000 }, (_, index) => ({ index, held })));
  });
  await Promise.all([crashed, expect(exhaust).rejects.toThrow()]);

  const reopened = await Playground.open(await page.context().newPage(), url);
  await expect(reopened.parameter('sampleRows').getByRole('textbox')).toHaveValue('17');
  for (const fact of truth.facts) await expect(reopened.answer).toContainText(fact);
  await reopened.askAndExpect(heaviestQuestion, ...truth.facts);
});
