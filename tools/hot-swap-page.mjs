// A running module follows its file: examples/worker-entry in Vite's development server, with a person who edits src/qa.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const timeoutMs = 30_000;

/** The example's page, as a person uses it. */
class QaPage {
  #page;
  #file;
  #source;
  #lines = { '#answers': 0, '#news': 0 };

  /** @param {import('playwright').Page} page @param {string} folder */
  constructor(page, folder) {
    this.#page = page;
    this.#file = join(folder, 'src/qa.ts');
    this.#source = readFileSync(this.#file, 'utf8');
  }

  /** @param {string} question */
  async ask(question) {
    // an error in an edit is shown over the page, where it takes the clicks
    await this.#page.evaluate((asked) => {
      const form = /** @type {HTMLFormElement} */ (document.querySelector('#ask'));
      /** @type {HTMLInputElement} */ (form.elements.namedItem('question')).value = asked;
      form.requestSubmit();
    }, question);
  }

  /** Saves the file as it was at first, with a change. @param {string} from @param {string} to */
  edit(from, to) {
    const edited = this.#source.replace(from, to);
    if (edited === this.#source) throw new Error(`src/qa.ts has no ${from}`);
    writeFileSync(this.#file, edited);
  }

  /** Saves the file as it was at first. */
  restore() {
    writeFileSync(this.#file, this.#source);
  }

  /** The next line of a list. @param {'#answers' | '#news'} list @param {string | RegExp} expected */
  async expect(list, expected) {
    const line = this.#page.locator(`${list} li`).nth(this.#lines[list]++);
    await line.waitFor({ timeout: timeoutMs }).catch(() => {
      throw new Error(`nothing more came in ${list}; expected ${expected}.`);
    });
    const text = (await line.textContent()) ?? '';
    const isAsExpected = typeof expected === 'string' ? text === expected : expected.test(text);
    if (!isAsExpected) throw new Error(`${list} says "${text}", expected ${expected}.`);
    return text;
  }

  /** Drops what is there already. @param {'#answers' | '#news'} list */
  async forget(list) {
    this.#lines[list] = await this.#page.locator(`${list} li`).count();
  }
}

/**
 * @param {import('playwright').Page} page
 * @param {string} folder of the example
 */
export async function checkHotSwap(page, folder) {
  await page.locator('#facts', { hasText: '}' }).waitFor({ timeout: 120_000 });
  const qa = new QaPage(page, folder);
  await qa.ask('What?');
  await qa.expect('#answers', 'Forty-two. (QA, in a worker)');

  // its parameters stay; a call that is under way ends on the old code
  await qa.ask('Slowly?');
  qa.edit('(${this.signature.value})', '[${this.signature.value}]');
  await qa.expect('#news', 'module-swap qa');
  await qa.ask('What?');
  await qa.expect('#answers', 'Forty-two. [QA, in a worker]');
  await qa.expect('#answers', 'Forty-two. (QA, in a worker)');
  console.log(
    'hot swap: the edited code answers with the parameters of before; the call under way ended on the old code',
  );

  for (const [what, from, to, told] of /** @type {const} */ ([
    ['does not parse', 'return {', 'return {{', /^hot-update-fail /],
    ['throws in its constructor', "value: 'QA' }", 'value: 7 as unknown as string }', /^module-swap-fail /],
    [
      'throws while it is evaluated',
      'export class QA',
      "throw new Error('at once');\nexport class QA",
      /^hot-update-fail /,
    ],
  ])) {
    qa.edit(from, to);
    const said = await qa.expect('#news', told);
    await qa.ask('What?');
    await qa.expect('#answers', 'Forty-two. [QA, in a worker]');
    await qa.forget('#news');
    console.log(
      `hot swap: an edit that ${what} is told, and the code before serves on: ${said.split('\n')[0]?.slice(0, 100)}`,
    );
  }

  qa.edit('(${this.signature.value})', '<${this.signature.value}>');
  await qa.expect('#news', 'module-swap qa');
  await qa.ask('What?');
  await qa.expect('#answers', 'Forty-two. <QA, in a worker>');
  qa.restore();
}
