/** For people who use a keyboard, a screen reader, a small screen, or one of two colour schemes. */
import type { Page } from '@playwright/test';
import { heaviest, heaviestQuestion, readPenguins } from './fixtures/penguins.ts';
import { Playground } from './fixtures/playground.ts';
import { expect, test } from './fixtures/test.ts';
import { findPaleText, listControls } from '../tools/page-checks.mjs';

const truth = heaviest(readPenguins());

interface Focus {
  readonly what: string;
  readonly isVisible: boolean;
  readonly hasMark: boolean;
}

/** What has the focus, within shadow trees too, and whether its mark can be seen. Editors draw theirs a moment later. */
function readFocus(page: Page): Promise<Focus> {
  return page.evaluate(async () => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    if (!element || element === document.body) return { what: 'nothing', isVisible: false, hasMark: false };
    // a hidden field shows its focus on its label, an editor on its frame
    const shown = [element, element.closest('label'), element.closest('.cm-editor')];
    const isMarked = (part: Element | null): boolean => {
      if (!part) return false;
      const { outlineStyle, outlineWidth } = getComputedStyle(part);
      return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1;
    };
    for (let frames = 0; frames < 30 && !shown.some(isMarked); frames++)
      await new Promise((done) => requestAnimationFrame(done));
    const { width, height } = element.getBoundingClientRect();
    const label = element.getAttribute('aria-label') ?? element.textContent ?? '';
    return {
      what: `${element.localName}#${element.id} ${label.trim().replaceAll(/\s+/gu, ' ').slice(0, 60)}`,
      isVisible: width > 0 && height > 0,
      hasMark: shown.some(isMarked),
    };
  });
}

/** Tab, until what has the focus is what is looked for. */
async function tabTo(page: Page, wanted: RegExp): Promise<Focus[]> {
  const passed: Focus[] = [];
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    const focus = await readFocus(page);
    passed.push(focus);
    if (wanted.test(focus.what)) return passed;
  }
  throw new Error(`Tab never reached ${String(wanted)}: ${passed.map(({ what }) => what).join(' | ')}`);
}

test('a question is asked and its answer read with the keyboard alone', async ({ playground }) => {
  const { page } = playground;
  // the region that will announce the answer is there before the answer is
  const live = await playground
    .region('Answer')
    .locator('vivarium-outcome')
    .getByRole('status')
    .first()
    .elementHandle();
  const [first] = await tabTo(page, /Skip to the question/u);
  expect(first).toMatchObject({ isVisible: true, hasMark: true });
  await page.keyboard.press('Enter');
  await tabTo(page, /^textarea#question/u);
  await page.keyboard.type(heaviestQuestion);
  await tabTo(page, /^button# Run/u);
  await page.keyboard.press('Enter');
  await playground.expectAnswer(...truth.facts);
  expect(await live?.evaluate((region) => region.isConnected && region.textContent)).toContain(
    truth.facts[1],
  );
  await tabTo(page, /Python the model wrote/u);
});

test('every stop of the Tab key can be seen and is marked, and none is a trap', async ({ playground }) => {
  const { page } = playground;
  await playground.askAndExpect(heaviestQuestion, ...truth.facts);
  await page.getByRole('link', { name: 'Skip to the question' }).focus();
  const stops = [...(await tabTo(page, /^textarea#question/u)), ...(await tabTo(page, /^ol# /u))];
  expect(stops.length).toBeGreaterThan(25);
  expect(stops.filter(({ isVisible, hasMark }) => !isVisible || !hasMark)).toEqual([]);
});

test('a cell is edited with the keyboard alone', async ({ playground }) => {
  const { page } = playground;
  await playground.cell(0, 'species').focus();
  for (let at = 0; at < 5; at++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.keyboard.type('4000');
  await page.keyboard.press('Enter');
  await expect(playground.cell(0, 'body_mass_g')).toHaveText('4000');
  await expect(playground.cell(1, 'body_mass_g')).toBeFocused();
});

test('everything that can be used has a name, and the page its landmarks', async ({ playground }) => {
  await playground.region('Model').getByLabel('An endpoint of yours').check();
  const used = await listControls(playground.page);
  expect(used.length).toBeGreaterThan(40);
  expect(used.filter(({ name }) => name === '').map(({ role }) => role)).toEqual([]);
  for (const role of ['main', 'banner', 'contentinfo'] as const)
    await expect(playground.page.getByRole(role)).toHaveCount(1);
  await expect(playground.page.getByRole('heading', { level: 1 })).toHaveText('Vivarium');
});

/** The whole page, for people to look at. Editors measure their lines when they come into view. */
async function takeScreen(page: Page, name: string): Promise<void> {
  await page.locator('vivarium-code-editor').scrollIntoViewIfNeeded();
  await expect(page.locator('vivarium-code-editor .cm-line').first()).toBeVisible();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `test-results/screens/${name}.png`, fullPage: true });
}

/** In both colour schemes, with a picture of each. */
async function expectFit(
  page: Page,
  { name, width }: { readonly name: string; readonly width: number },
): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ reducedMotion: 'reduce', colorScheme });
    const widths = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    expect(widths).toEqual([width, width]);
    expect(await findPaleText(page)).toEqual([]);
    await takeScreen(page, `${name}-${colorScheme}`);
  }
}

const screens = [
  { name: 'wide', width: 1440, height: 900 },
  { name: 'narrow', width: 390, height: 844 },
] as const;

for (const { name, width, height } of screens) {
  test(`${name}: nothing runs over the side, and text is readable in both schemes`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'light' });
    const playground = await Playground.open(page);
    await playground.askAndExpect(heaviestQuestion, ...truth.facts);
    await playground.setParameterAndWait('sampleRows', '17');
    await playground.setParameter('sampleRows', '99');
    await expect(playground.parameter('sampleRows').getByRole('alert')).toContainText(
      'program/constraint-violated',
    );
    await playground.editCell(1, 'body_mass_g', '3801');
    await expectFit(page, { name: `${width}`, width });
  });

  test(`${name}: so it is in a tab that is refused, and in its copy`, async ({ context, playground }) => {
    await expect(playground.module).toContainText('running');
    const second = new Playground(await context.newPage());
    const { page } = second;
    await page.setViewportSize({ width, height });
    await page.goto('/');
    const button = second.notices.getByRole('button', { name: 'Work on a separate copy' });
    await expect(button).toBeVisible();
    await expectFit(page, { name: `${width}-refused`, width });
    // the refusal is said again every few seconds, which must not take the focus away
    await button.focus();
    await page.waitForTimeout(4_000);
    await expect(button).toBeFocused();
    await page.keyboard.press('Enter');
    await page.waitForURL(/copy=/u);
    await second.expectReady();
    await expectFit(page, { name: `${width}-copy`, width });
  });
}

test('the check of contrast finds text that is too pale', async ({ playground }) => {
  await playground.page.evaluate(() => {
    document.querySelector('main')?.insertAdjacentHTML('beforeend', '<p>pale</p>');
    const pale = document.querySelector<HTMLElement>('main > p:last-child');
    if (pale) pale.style.color = 'color-mix(in oklab, CanvasText 40%, Canvas)';
  });
  expect(await findPaleText(playground.page)).toEqual([expect.stringContaining('pale')]);
});
