// A running module follows its file: examples/worker-entry in Vite's development server, with a person who edits its files.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const timeoutMs = 30_000;

/** Vite's watcher is deaf to a file for 50 ms after a change of it; no person saves as fast. */
const betweenSavesMs = 100;

/** A file that is edited. */
class SourceFile {
  #name;
  #path;
  #source;
  #savedAtMs = 0;

  /** @param {string} folder @param {string} name below it */
  constructor(folder, name) {
    this.#name = name;
    this.#path = join(folder, name);
    this.#source = readFileSync(this.#path, 'utf8');
  }

  /** Saves it as it was at first, with a change. @param {string} from @param {string} to */
  async edit(from, to) {
    const edited = this.#source.replace(from, to);
    if (edited === this.#source) throw new Error(`${this.#name} has no ${from}`);
    await this.#save(edited);
  }

  /** Saves it as it was at first. */
  restore() {
    return this.#save(this.#source);
  }

  /** @param {string} source */
  async #save(source) {
    await sleep(Math.max(0, this.#savedAtMs + betweenSavesMs - performance.now()));
    writeFileSync(this.#path, source);
    this.#savedAtMs = performance.now();
  }
}

/** The example's page, as a person uses it. */
class QaPage {
  #page;
  #lines = { '#answers': 0, '#news': 0 };

  /** @param {import('playwright').Page} page */
  constructor(page) {
    this.#page = page;
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
}

/**
 * @param {import('playwright').Page} page
 * @param {string} folder of the example
 */
export async function checkHotSwap(page, folder) {
  await page.locator('#facts', { hasText: '}' }).waitFor({ timeout: 120_000 });
  const qa = new QaPage(page);
  const module = new SourceFile(folder, 'src/qa.ts');
  const entry = new SourceFile(folder, 'src/modules.worker.ts');
  await qa.ask('What?');
  await qa.expect('#answers', 'Forty-two. (QA, in a worker)');

  // its parameters stay; a call that is under way ends on the old code
  await qa.ask('Slowly?');
  await module.edit('(${this.signature.value})', '[${this.signature.value}]');
  await qa.expect('#news', 'module-swap qa');
  await qa.ask('What?');
  await qa.expect('#answers', 'Forty-two. [QA, in a worker]');
  await qa.expect('#answers', 'Forty-two. (QA, in a worker)');
  console.log(
    'hot swap: the edited code answers with the parameters of before; the call under way ended on the old code',
  );

  const isTold = /** @param {string} what @param {RegExp} told @param {string} answer */ async (
    what,
    told,
    answer,
  ) => {
    const said = await qa.expect('#news', told);
    await qa.ask('What?');
    await qa.expect('#answers', answer);
    const shown = said.split('\n')[0]?.slice(0, 100);
    console.log(`hot swap: an edit that ${what} is told, and the code before serves on: ${shown}`);
  };
  const atOnce = "throw new Error('at once');\n";
  for (const [what, from, to, told] of /** @type {const} */ ([
    ['does not parse', 'return {', 'return {{', /^hot-update-fail /],
    ['throws in its constructor', "value: 'QA' }", 'value: 7 as unknown as string }', /^module-swap-fail /],
    ['throws while it is evaluated', 'export class', `${atOnce}export class`, /^hot-update-fail /],
    ['does not parse, behind one that threw,', 'return {', 'return {{', /^hot-update-fail Transform/],
  ])) {
    await module.edit(from, to);
    await isTold(what, told, 'Forty-two. [QA, in a worker]');
  }

  await module.edit('(${this.signature.value})', '<${this.signature.value}>');
  await qa.expect('#news', 'module-swap qa');
  await qa.ask('What?');
  await qa.expect('#answers', 'Forty-two. <QA, in a worker>');

  for (const what of ['makes the entry throw', 'makes it throw once more']) {
    await entry.edit('export const', `${atOnce}// ${what}\nexport const`);
    await isTold(what, /^hot-update-fail /, 'Forty-two. <QA, in a worker>');
  }
  await entry.restore();
  await module.restore();
  await qa.expect('#news', 'module-swap qa');
  await qa.ask('What?');
  await qa.expect('#answers', 'Forty-two. (QA, in a worker)');
}
