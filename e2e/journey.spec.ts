/** The main job, whole: a question about real rows, answered by Python in the sandbox; then everything a reader may change. */
import { correlation, heaviest, heaviestQuestion, readPenguins, truths } from './fixtures/penguins.ts';
import { readRawStorage } from './fixtures/storage.ts';
import { expect, test } from './fixtures/test.ts';

const penguins = readPenguins();
/** The text with no further digit at either end. */
const whole = (text: string): RegExp =>
  new RegExp(String.raw`(?<![\d.])${text.replaceAll(/[.()]/gu, String.raw`\$&`)}(?!\d|\.\d)`, 'u');

test('a prepared question is answered from the rows, and the answer follows them', async ({ playground }) => {
  await test.step('the page says plainly that the model is scripted', async () => {
    await expect(playground.region('Model')).toContainText('Not a language model');
    await expect(playground.region('Model').getByLabel('Scripted model')).toBeChecked();
    await expect(playground.region('Ask')).toContainText(
      'Scripted model: it knows the prepared questions only',
    );
  });

  const truth = heaviest(penguins);
  await test.step('code, output and answer', async () => {
    await playground.region('Ask').getByRole('button', { name: heaviestQuestion }).click();
    await playground.expectAnswer(...truth.facts);
    await expect(playground.code).toContainText('for row in rows');
    await expect(playground.stdout).toContainText('Gentoo');
    await expect(playground.region('Answer')).toContainText('worded by the scripted model');
  });

  await test.step('the numeric core adds a correlation matrix and a plot', async () => {
    const matrix = playground.region('Numbers').locator('[data-part=matrix]');
    await expect(matrix).toBeAttached();
    const shown = correlation(penguins, 'flipper_length_mm', 'body_mass_g').toFixed(2);
    const row = matrix
      .getByRole('row')
      .filter({ has: playground.page.getByRole('rowheader', { name: 'flipper_length_mm' }) });
    await expect(row.getByRole('cell').last()).toHaveText(shown);
    await expect(playground.region('Numbers').locator('vivarium-scatter-plot svg')).toBeVisible();
  });

  await test.step('one edited cell changes the displayed answer', async () => {
    const before = (await playground.answer.textContent()) ?? '';
    const edited = penguins.map((row, at) => (at === 0 ? { ...row, body_mass_g: 999_750 } : row));
    const changed = heaviest(edited);
    expect(changed.facts).not.toEqual(truth.facts);
    await playground.editCell(0, 'body_mass_g', '999750');
    await playground.askAndExpect(heaviestQuestion, ...changed.facts);
    await expect(playground.answer).not.toHaveText(before);
  });

  await test.step('so do the figures of the numeric core', async () => {
    const edited = penguins.map((row, at) => (at === 0 ? { ...row, body_mass_g: 999_750 } : row));
    const matrix = playground.region('Numbers').locator('[data-part=matrix]');
    const row = matrix
      .getByRole('row')
      .filter({ has: playground.page.getByRole('rowheader', { name: 'flipper_length_mm' }) });
    await expect(row.getByRole('cell').last()).toHaveText(
      correlation(edited, 'flipper_length_mm', 'body_mass_g').toFixed(2),
    );
  });
});

test('every prepared question gets the truth', async ({ playground }) => {
  for (const { question, facts } of truths()) {
    await playground.region('Ask').getByRole('button', { name: question }).click();
    await expect(playground.question).toHaveValue(question);
    await playground.expectAnswer();
    for (const fact of facts) await expect(playground.answer).toHaveText(whole(fact));
  }
});

test('a parameter is set, its history grows, and its constraint is enforced', async ({ playground }) => {
  await playground.setParameterAndWait('sampleRows', '17');
  await playground.setParameterAndWait('sampleRows', '9');
  expect(await playground.history('sampleRows')).toEqual(['9', '17']);
  await expect(playground.parameter('sampleRows')).toContainText('2 changes');

  await playground.setParameter('sampleRows', '51');
  const refusal = playground.parameter('sampleRows').getByRole('alert');
  await expect(refusal).toContainText('program/constraint-violated');
  await expect(refusal).toContainText('expected at most 50');
  await expect(refusal).toContainText('The old value stays');
  expect(await playground.history('sampleRows')).toEqual(['9', '17']);

  await playground.setParameter('sampleRows', 'many');
  await expect(refusal).toContainText('“many” is not a number');

  // neither was kept anywhere
  await playground.page.reload();
  await playground.expectReady();
  await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('9');
  await playground.setParameterAndWait('sampleRows', '12');
});

test('an edited program serves at once; a wrong edit says where and leaves the old one serving', async ({
  playground,
}) => {
  const section = playground.region('The program');
  const truth = heaviest(penguins);
  await playground.setParameterAndWait('sampleRows', '17');
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);

  await test.step('behaviour changes', async () => {
    await playground.replaceSource((source) =>
      source.replace('return { answer, code', 'return { answer: `Edited: ${answer}`, code'),
    );
    await section.getByRole('button', { name: 'Apply and rerun' }).click();
    await playground.expectAnswer('Edited: ', ...truth.facts);
    await expect(section.getByRole('status')).toContainText('Your edit is running');
    await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('17');
  });

  await test.step('a syntax error names its place', async () => {
    await playground.replaceSource((source) => {
      const lines = source.split('\n');
      lines.splice(4, 0, 'const wrong = = 1;');
      return lines.join('\n');
    });
    await section.getByRole('button', { name: 'Apply and rerun' }).click();
    await expect(section.getByRole('alert')).toContainText('Line 5, column 15');
    await expect(section.getByRole('status')).toContainText('The module that was running keeps serving');
  });

  await test.step('the module before it keeps serving', async () => {
    await playground.askAndExpect(heaviestQuestion, 'Edited: ', ...truth.facts);
  });

  await test.step('the shipped one comes back', async () => {
    await section.getByRole('button', { name: 'Reset to original' }).click();
    await expect(section.getByRole('status')).toContainText('As shipped');
    await playground.askAndExpect(heaviestQuestion, ...truth.facts);
    await expect(playground.answer).not.toContainText('Edited');
  });
});

test('an edit that was not applied outlives a reload, serves when it is applied, and goes with a reset', async ({
  playground,
}) => {
  const { page } = playground;
  const section = playground.region('The program');
  const shipped = await playground.source();
  await playground.replaceSource((source) =>
    source.replace('return { answer, code', 'return { answer: `Kept: ${answer}`, code'),
  );
  const edited = await playground.source();
  await expect.poll(async () => (await readRawStorage(page)).indexedDb).toContain('Kept: ');

  await page.reload();
  await playground.expectReady();
  await expect.poll(() => playground.source()).toBe(edited);
  await expect(section.getByRole('status')).toContainText('Edited, not yet applied');
  // the shipped module serves until the reader says otherwise
  await playground.askAndExpect(heaviestQuestion, ...heaviest(penguins).facts);
  await expect(playground.answer).not.toContainText('Kept: ');
  await section.getByRole('button', { name: 'Apply and rerun' }).click();
  await playground.expectAnswer('Kept: ');

  await section.getByRole('button', { name: 'Reset to original' }).click();
  await expect(section.getByRole('status')).toContainText('As shipped');
  await expect.poll(async () => (await readRawStorage(page)).indexedDb).not.toContain('answer: `Kept');
  await page.reload();
  await playground.expectReady();
  expect(await playground.source()).toBe(shipped);
});

test('the tree shows the call that is under way, and that it has ended', async ({ playground, models }) => {
  await playground.useEndpoint({ address: models.baseUrl, model: 'never' });
  await expect(playground.module).toContainText('mailbox 0');
  await playground.ask(heaviestQuestion);
  await expect(playground.module).toContainText('mailbox 1');
  await playground.stop.click();
  await expect(playground.module).toContainText('mailbox 0');
});
