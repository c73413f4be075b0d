// examples/executor as a person uses it: every prepared program, a loop that is stopped, one that has to be killed, and a small screen.
import { findPaleText, listControls } from './page-checks.mjs';

const timeoutMs = 60_000;

/** What each prepared program prints, and shows or answers. */
const prepared = [
  ['python', 'asking the page about 6 animals', '<meter max="40" value="17"'],
  ['javascript', 'asking the page about 6 animals at once', 'data:image/svg+xml'],
  ['typescript', 'animals, one by one', '<td>tortoise</td><td>desert</td><td>30</td>'],
  ['wat', 'adding up a million squares', '333333833333500000n'],
  ['sql', '', '<td>forest</td><td>poison frog</td><td>4</td><td>3</td><td>1</td>'],
];

/** Asked to stop, it goes on; only the end of its interpreter ends it. */
const deaf = `print("deaf", flush=True)
while True:
    try:
        while True:
            pass
    except BaseException:
        pass`;

/** @param {string} found @param {string | RegExp} expected @param {string} what */
function expectText(found, expected, what) {
  const isThere = typeof expected === 'string' ? found.includes(expected) : expected.test(found);
  if (!isThere)
    throw new Error(`${what}: expected ${expected}, found ${JSON.stringify(found.slice(0, 500))}.`);
}

class ExecutorPage {
  #page;

  /** @param {import('playwright').Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** @param {string} language */
  async choose(language) {
    await this.#page.getByLabel('Language').selectOption(language);
  }

  /** By keyboard alone. @param {string} [code] in the place of what the editor has */
  async run(code) {
    const editor = this.#page.getByRole('textbox', { name: 'Code' });
    if (code !== undefined) await editor.fill(code);
    await editor.press('Control+Enter');
  }

  /** As soon as the program is in its loop: before that it prints something. */
  async stop() {
    await this.#page.locator('#output pre').waitFor({ timeout: timeoutMs });
    await this.#page.getByRole('button', { name: 'Stop' }).press('Enter');
  }

  /** What the page says of the run, once it has ended. @param {string | RegExp} expected */
  async expectOutcome(expected) {
    const ended = this.#page.getByRole('status').and(this.#page.locator(':not(.running)'));
    await ended.waitFor({ timeout: timeoutMs });
    expectText(await ended.innerText(), expected, 'outcome');
  }

  /** What it shows of the run, the documents of rich values included. @param {string} expected */
  async expectOutput(expected) {
    const output = this.#page.getByRole('log', { name: 'Output' });
    // a frame comes a moment later than the outcome
    await output.locator('.rich:empty').waitFor({ state: 'detached', timeout: timeoutMs });
    const documents = await output
      .locator('iframe')
      .evaluateAll((frames) => frames.map((frame) => frame.getAttribute('srcdoc')));
    expectText([await output.innerText(), ...documents].join('\n'), expected, 'output');
  }
}

/** One prepared program, which is enough to see that a server serves all. @param {import('playwright').Page} page */
export async function checkExecutorServed(page) {
  const example = new ExecutorPage(page);
  await example.run();
  await example.expectOutcome(/^returned after/);
}

/** @param {import('playwright').Page} page */
export async function checkExecutorPage(page) {
  const example = new ExecutorPage(page);
  for (const [language, printed, shown] of prepared) {
    await example.choose(language);
    await example.run();
    await example.expectOutcome(/^returned after \d+ ms$/);
    await example.expectOutput(printed);
    await example.expectOutput(shown);
  }
  console.log(`executor: the prepared programs of ${prepared.length} languages ran`);
  await checkPython(example);
  await checkReaders(page);
}

/** One session of Python, and a person who makes mistakes in it. @param {ExecutorPage} example */
async function checkPython(example) {
  await example.choose('python');
  await example.run('x = 41\n1 / 0');
  await example.expectOutcome(/^threw after \d+ ms\s+ZeroDivisionError in line 2: division by zero$/);
  await example.expectOutput('Traceback');
  await example.run('import js');
  await example.expectOutcome(
    /^denied after \d+ ms\s+js in line 1 is against the policy: deniedModules\["js"\]$/,
  );

  await example.run('print("on", flush=True)\nwhile True:\n    pass');
  await example.stop();
  await example.expectOutcome(/^cancelled after \d+ ms$/);
  await example.run('x + 1');
  await example.expectOutcome(/^returned after \d+ ms$/);
  await example.expectOutput('42');

  await example.run(deaf);
  await example.stop();
  await example.expectOutcome(/^cancelled after \d+ ms\s+Brought back after a kill: .*\bx\b/);
  await example.run('x + 2');
  await example.expectOutcome(/^returned after \d+ ms\s+Brought back after a kill: .*\bx\b/);
  await example.expectOutput('43');
  console.log('executor: Python was stopped, and killed, and has its variables');
}

/** Names, contrast, and nothing over the side. @param {import('playwright').Page} page */
async function checkReaders(page) {
  const nameless = (await listControls(page)).filter(({ name }) => name === '');
  if (nameless.length > 0) throw new Error(`without a name: ${JSON.stringify(nameless)}.`);
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 844 });
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme });
      const needed = await page.evaluate(() => document.documentElement.scrollWidth);
      if (needed > width) throw new Error(`the page needs ${needed} pixels of ${width}.`);
      const pale = await findPaleText(page);
      if (pale.length > 0) throw new Error(`${colorScheme}: too pale: ${pale.join(', ')}.`);
    }
  }
}
