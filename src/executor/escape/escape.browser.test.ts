import { expect, inject, test } from 'vitest';
import type { FrameKind } from '../sandbox/frame.ts';
import type { WallKind } from './attempt.ts';
import { escapeScripts } from './attempts.ts';
import { formatEscapeRows, runEscapeSuite } from './escape-suite.ts';
import type { EscapeRow } from './escape-suite.ts';
import { openEscapeRealm } from './realm.ts';

const listenerUrl = inject('listenerUrl');
const assets = { baseUrl: '/sandbox/' };
const byUrl: FrameKind = { url: `${listenerUrl}/sandbox/frame.html` };
const suiteTimeoutMs = 280_000;

async function run(walls: WallKind, frame: FrameKind): Promise<readonly EscapeRow[]> {
  await using realm = openEscapeRealm(walls, { assets, frame, scripts: escapeScripts });
  return await runEscapeSuite({ realm, listenerUrl, channelName: `escape-${Math.random()}` });
}
const leaksOf = (rows: readonly EscapeRow[]) => formatEscapeRows(rows.filter((row) => row.leaked));

test('without walls the suite sees the escapes', { timeout: suiteTimeoutMs }, async () => {
  const rows = await run('none', 'srcdoc');
  const wrong = rows.filter((row) => row.leaked !== row.leaksUnprotected);
  expect(formatEscapeRows(wrong)).toBe('');
});

test(
  'a sandbox lets nothing out, and every attempt does what it says',
  { timeout: suiteTimeoutMs },
  async () => {
    const rows = await run('whole', 'srcdoc');
    expect(leaksOf(rows)).toBe('');
    const unproved = rows.filter(({ control, shown }) => control === 'beside' && !shown);
    expect(formatEscapeRows(unproved)).toBe('');
    // what the attempts need is here
    expect(formatEscapeRows(rows.filter(({ lacks }) => lacks.length > 0))).toBe('');
  },
);

// with the globals gone nearly every attempt ends at a missing name; this one shows that the frame's rules hold by themselves
test('the frame alone lets nothing out', { timeout: suiteTimeoutMs }, async () => {
  expect(leaksOf(await run('frame alone', byUrl))).toBe('');
});
