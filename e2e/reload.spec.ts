/** The browser's process ends, politely or not, and the same profile is opened again. */
import { useCounter } from './fixtures/hosted-counter.ts';
import { heaviest, heaviestQuestion, readPenguins } from './fixtures/penguins.ts';
import { Playground } from './fixtures/playground.ts';
import { BrowserProcess, createProfile } from './fixtures/profile.ts';
import { startSourceServer } from './fixtures/source-server.ts';
import { readRawStorage } from './fixtures/storage.ts';
import { expect, test } from './fixtures/test.ts';

// A cell that makes the answer another than the shipped rows can give: after the restart nothing but the store knows it.
const edited = readPenguins().map((row, at) => (at === 1 ? { ...row, body_mass_g: 888_125 } : row));
const truth = heaviest(edited);

async function leaveTraces(playground: Playground): Promise<void> {
  await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('5');
  expect(await playground.history('sampleRows')).toEqual([]);
  await playground.setParameterAndWait('sampleRows', '17');
  await playground.setParameterAndWait('sampleRows', '23');
  await playground.editCell(1, 'body_mass_g', '888125');
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);
  // the last run and the histories are kept behind the reader's back, a moment later
  const stored = async (): Promise<string> => (await readRawStorage(playground.page)).indexedDb;
  await expect.poll(stored).toContain(truth.facts[1]);
  await expect.poll(stored).toContain('"newValue":23');
  // an acknowledged value is kept already: nothing comes between it and the end
  await playground.setParameterAndWait('temperature', '0.75');
}

async function expectTraces(playground: Playground, url: string): Promise<void> {
  const { page } = playground;
  expect(truth.facts).not.toEqual(heaviest(readPenguins()).facts);
  await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('23');
  await expect(playground.parameter('temperature').getByRole('textbox')).toHaveValue('0.75');
  expect(await playground.history('sampleRows')).toEqual(['23', '17']);
  for (const fact of truth.facts) await expect(playground.answer).toContainText(fact);
  await expect(playground.region('Answer')).toContainText('read back from the store');
  await expect(playground.code).toContainText('for row in rows');
  await expect(playground.question).toHaveValue(heaviestQuestion);
  const { localStorage, sessionStorage, cookies } = await readRawStorage(page);
  expect({ localStorage, sessionStorage, cookies }).toEqual({
    localStorage: '{}',
    sessionStorage: '{}',
    cookies: '',
  });
  expect(page.url()).toBe(url);
}

for (const end of ['close', 'kill'] as const) {
  test(`after the browser's process was ended by ${end}, parameters, history and the last run are there`, async ({
    baseURL,
  }) => {
    const url = `${baseURL ?? ''}/`;
    await using profile = await createProfile();
    let firstPid = 0;
    {
      await using browser = await BrowserProcess.launch(profile.folder);
      firstPid = browser.pid;
      await leaveTraces(await Playground.open(browser.page, url));
      await browser[end]();
    }
    expect(() => process.kill(firstPid, 0)).toThrow('ESRCH');

    await using again = await BrowserProcess.launch(profile.folder);
    expect(again.pid).not.toBe(firstPid);
    const playground = await Playground.open(again.page, url);
    await expectTraces(playground, url);
    // what was read back is what the module works with, and the next run works
    await playground.askAndExpect(heaviestQuestion, ...heaviest(readPenguins()).facts);
    await expect(playground.parameter('sampleRows').getByRole('textbox')).toHaveValue('23');
  });
}

test('a failure of before is shown, with its time, and not announced; a question being typed is left alone', async ({
  playground,
}) => {
  const { page } = playground;
  await playground.ask('What is the meaning of it all?');
  await playground.expectFailure('app/question-not-prepared');
  await expect
    .poll(async () => (await readRawStorage(page)).indexedDb)
    .toContain('app/question-not-prepared');

  // reads of the store come late, as they may on a slow disk: the reader is faster
  await page.addInitScript(() => {
    const open = Reflect.get(IDBFactory.prototype, 'open') as IDBFactory['open'];
    IDBFactory.prototype.open = function (this: IDBFactory, ...rest): IDBOpenDBRequest {
      const until = Date.now() + 1_500;
      const request = open.apply(this, rest);
      const listen = request.addEventListener.bind(request);
      request.addEventListener = ((type: string, heard: (event: Event) => void) =>
        listen(type, (event) =>
          type === 'success' ? setTimeout(() => heard(event), until - Date.now()) : heard(event),
        )) as typeof request.addEventListener;
      return request;
    };
  });
  await page.reload();
  await playground.question.pressSequentially('Which isl');
  await expect(playground.region('Answer')).toContainText('No question has been asked yet');
  await playground.expectReady();
  await expect(playground.region('Answer')).toContainText('app/question-not-prepared');
  await expect(playground.region('Answer').getByRole('time')).toHaveAttribute('datetime', /^20\d\d-.*Z$/u);
  await expect(playground.failure).toHaveCount(0);
  await expect(playground.question).toHaveValue('Which isl');
  await expect(playground.question).toBeFocused();
});

test("a relaxed write that was acknowledged is there after the browser's process was killed", async () => {
  await using server = await startSourceServer();
  await using profile = await createProfile();
  let firstPid = 0;
  {
    await using browser = await BrowserProcess.launch(profile.folder);
    firstPid = browser.pid;
    await browser.page.goto(server.url);
    expect(await useCounter(browser.page)).toBe(0);
    await browser.page.reload();
    expect(await useCounter(browser.page, { total: 888_126, level: 'relaxed' })).toBe(888_126);
    // nothing comes between the acknowledgement and the end
    await browser.kill();
  }
  expect(() => process.kill(firstPid, 0)).toThrow('ESRCH');

  await using again = await BrowserProcess.launch(profile.folder);
  await again.page.goto(server.url);
  expect(await useCounter(again.page)).toBe(888_126);
});
