/** The same journey with a model behind a real HTTP server, and every way in which such a model fails. */
import { closedPort, startOpenAiServer } from '../tools/openai-server.mjs';
import { massesBySpecies, mean, readPenguins, rounded } from './fixtures/penguins.ts';
import { readRawStorage } from './fixtures/storage.ts';
import { meanQuestion, promptSections } from './fixtures/table-model.ts';
import { expect, test } from './fixtures/test.ts';

const key = 'sk-e2e-5c1d7f0a93';
const facts = [...massesBySpecies(readPenguins())].map(
  ([species, masses]) => `${species} has ${rounded(mean(masses), 2)}`,
);

test('a live model writes the Python and words the answer', async ({ playground, models }) => {
  await playground.useEndpoint({ address: models.baseUrl, model: 'table-model', key });
  await playground.askAndExpect(meanQuestion, ...facts);
  await expect(playground.code).toContainText('row["body_mass_g"]');
  await expect(playground.stdout).toContainText('Gentoo 123');
  await expect(playground.region('Answer')).toContainText('worded by table-model');
  expect(models.lastHeaders['authorization']).toBe(`Bearer ${key}`);

  await test.step('one edited cell changes the answer', async () => {
    const edited = readPenguins().map((row, at) => (at === 0 ? { ...row, body_mass_g: 99_750 } : row));
    const masses = massesBySpecies(edited).get('Adelie') ?? [];
    await playground.editCell(0, 'body_mass_g', '99750');
    await playground.askAndExpect(meanQuestion, `Adelie has ${rounded(mean(masses), 2)}`);
  });

  await test.step('a parameter of the program reaches the model', async () => {
    await playground.setParameterAndWait('sampleRows', '2');
    await playground.askAndExpect(meanQuestion);
    const prompt = models.bodies
      .map(({ messages }) => promptSections(messages))
      .findLast((sections) => sections.has('sample_rows'));
    expect(prompt?.get('sample_rows')?.split('\n')).toHaveLength(2);
  });
});

test('the key stays in the page unless its owner ticks the box', async ({ playground, models }) => {
  const { page } = playground;
  await playground.useEndpoint({ address: models.baseUrl, model: 'table-model', key });
  await playground.askAndExpect(meanQuestion, ...facts);

  await test.step('nothing stored holds it, though the rest of the choice is kept', async () => {
    await expect.poll(async () => (await readRawStorage(page)).indexedDb).toContain('table-model');
    expect(JSON.stringify(await readRawStorage(page))).not.toContain(key);
    await expect(playground.region('Events')).not.toContainText(key);
  });

  await test.step('a reload forgets it', async () => {
    await page.reload();
    await playground.expectReady();
    await expect(playground.region('Model').getByLabel('Address')).toHaveValue(models.baseUrl);
    await expect(playground.region('Model').getByLabel(/^Key/u)).toHaveValue('');
  });

  await test.step('ticked, it is kept, and only in the store', async () => {
    await playground.useEndpoint({
      address: models.baseUrl,
      model: 'table-model',
      key,
      isKeyRemembered: true,
    });
    await expect.poll(async () => (await readRawStorage(page)).indexedDb).toContain(key);
    const { indexedDb: _kept, ...others } = await readRawStorage(page);
    expect(JSON.stringify(others)).not.toContain(key);
    await page.reload();
    await playground.expectReady();
    await expect(playground.region('Model').getByLabel(/^Key/u)).toHaveValue(key);
  });

  await test.step('unticked, it is taken out again', async () => {
    await playground.useEndpoint({ address: models.baseUrl, model: 'table-model', key });
    await expect.poll(async () => JSON.stringify(await readRawStorage(page))).not.toContain(key);
  });
});

test('“Test this endpoint” tells the links of the chain apart', async ({ playground, models }) => {
  await using locked = await startOpenAiServer({ apiKey: key });
  await using closed = await startOpenAiServer({ cors: 'refuse' });
  const nobody = `${await closedPort()}/v1`;
  const region = playground.region('Model');
  const result = region.locator('[data-part=test]');
  const cases = [
    { address: models.baseUrl, model: 'echo', says: ['echo answered', 'it streams'] },
    { address: locked.baseUrl, model: 'echo', key: 'wrong', says: ['lm/auth', 'Check the key'] },
    { address: locked.baseUrl, model: 'echo', key, says: ['echo answered'] },
    { address: models.baseUrl, model: '404', says: ['lm/model-not-found'] },
    { address: closed.baseUrl, model: 'echo', says: ['lm/cors-refused'] },
    { address: nobody, model: 'echo', says: ['lm/network'] },
    { address: models.baseUrl, model: 'garbage', says: ['lm/response-invalid'] },
  ];
  for (const { says, ...form } of cases) {
    await test.step(`${form.model} at ${form.address}: ${says[0]}`, async () => {
      await playground.useEndpoint(form);
      await region.getByRole('button', { name: 'Test this endpoint' }).click();
      for (const words of says) await expect(result).toContainText(words);
      await expect(result).not.toContainText('wrong');
    });
  }
});

test('each failure of a model is a typed message, and the next run works', async ({ playground, models }) => {
  const failures = [
    { model: 'garbage', code: 'lm/response-invalid' },
    { model: 'html', code: 'lm/response-invalid' },
    { model: '401', code: 'lm/auth' },
    { model: '429-wait', code: 'lm/rate-limited' },
    { model: '500', code: 'lm/server' },
    { model: 'no-stream', code: 'program/adapter-parse-failed' },
  ];
  const address = models.baseUrl;
  for (const { model, code } of failures) {
    await test.step(`${model}: ${code}`, async () => {
      await playground.useEndpoint({ address, model });
      await playground.ask('What is in this table?');
      await playground.expectFailure(code);
      await playground.useEndpoint({ address, model: 'table-model' });
      await playground.askAndExpect(meanQuestion, ...facts);
    });
  }
  await test.step('429, then an answer: nobody notices', async () => {
    await playground.useEndpoint({ address, model: '429-then-ok' });
    await playground.askAndExpect(meanQuestion, ...facts);
    await expect(playground.region('Events')).toContainText('lm-retry');
  });
});

test('a model that never answers can be stopped', async ({ playground, models }) => {
  await playground.useEndpoint({ address: models.baseUrl, model: 'never' });
  await playground.ask('Does this ever end?');
  await expect.poll(() => models.stats.open).toBe(1);
  await expect(playground.region('Answer').getByRole('status').first()).toContainText('Asking the model');
  await playground.stop.click();
  await playground.expectFailure('You stopped the run', 'port/cancelled');
  await expect.poll(() => models.stats.open).toBe(0);
  await playground.useEndpoint({ address: models.baseUrl, model: 'table-model' });
  await playground.askAndExpect(meanQuestion, ...facts);
});

test('a model that never answers is given up after its time limit', async ({ page, playground, models }) => {
  await playground.useEndpoint({ address: models.baseUrl, model: 'never' });
  await page.clock.install();
  await playground.ask('Does this ever end?');
  await expect.poll(() => models.stats.open).toBe(1);
  // two minutes pass for the page alone
  await page.clock.fastForward(121_000);
  await playground.expectFailure('lm/timeout', 'no answer within 120000 ms');
  await expect.poll(() => models.stats.open).toBe(0);
  await playground.useEndpoint({ address: models.baseUrl, model: 'table-model' });
  await playground.askAndExpect(meanQuestion, ...facts);
});
