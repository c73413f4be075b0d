/** Every way out of the sandbox, tried in the built app with its real headers; a listener outside says what got out. */
import { startListener } from '../tools/listener.mjs';
import type { EscapeResult, Setting } from '../tools/prove/escape.mjs';
import { prepareApp, runIn } from '../tools/prove/escape.mjs';
import { createProfile as createFolder } from './fixtures/profile.ts';
import { expect, test } from './fixtures/test.ts';

test.describe.configure({ timeout: 300_000 });

let app: Awaited<ReturnType<typeof createFolder>>;

test.beforeAll(async () => {
  app = await createFolder();
  await prepareApp(app.folder);
});
test.afterAll(() => app[Symbol.asyncDispose]());

interface Found {
  readonly rows: readonly EscapeResult[];
  readonly leaks: readonly EscapeResult[];
  /** What the listener counted, by whatever way it came. */
  readonly total: number;
}

async function tryToEscape(setting: Setting): Promise<Found> {
  const listener = await startListener();
  try {
    const rows = await runIn(app.folder, setting, listener.url);
    return { rows, leaks: rows.filter(({ leaked }) => leaked), total: listener.total() };
  } finally {
    await listener.close();
  }
}

const show = (rows: readonly EscapeResult[]): string[] =>
  rows.map(({ attempt, detail }) => `${attempt}: ${detail}`);

// a frame that is written into the page needs a page without a `script-src` of its own: that has the one rule that every host must send
for (const frame of ['file', 'srcdoc'] as const) {
  test(`with the headers of the app and its frame as ${frame} nothing gets out, and each attempt's own control shows that it works`, async () => {
    const { rows, leaks, total } = await tryToEscape({ walls: 'whole', frame });
    expect(rows.length).toBeGreaterThan(200);
    expect(show(leaks)).toEqual([]);
    expect(total).toBe(0);
    const controlled = rows.filter(({ control, lacks }) => control === 'beside' && lacks.length === 0);
    expect(controlled.length).toBeGreaterThan(100);
    expect(show(controlled.filter(({ shown }) => !shown))).toEqual([]);
  });
}

// with every global in place
test('the frame that is written into the page lets nothing out by its own rules alone', async () => {
  const { rows, leaks, total } = await tryToEscape({
    walls: 'frame alone',
    frame: 'srcdoc',
    watchers: ['network', 'storage', 'message'],
  });
  expect(rows.length).toBeGreaterThan(40);
  expect(show(leaks)).toEqual([]);
  expect(total).toBe(0);
});

test('the control: with policy and frame off the same suite reports the leaks', async () => {
  const { rows, leaks, total } = await tryToEscape({ walls: 'none', frame: 'file' });
  // exactly those that are expected to: an attempt that never leaks would prove nothing by holding
  expect(show(rows.filter((row) => row.leaked !== row.leaksUnprotected))).toEqual([]);
  expect(leaks.length).toBeGreaterThan(25);
  expect(total).toBeGreaterThan(10);
});
