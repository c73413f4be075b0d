import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'vivarium-ok-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs every step through an `npm` that fails for one of them. @param {string} failing @param {...string} args */
function runOk(failing, ...args) {
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\n[ "$3" != "${failing}" ]\n`);
  chmodSync(join(folder, 'npm'), 0o755);
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
  const { status, stdout } = spawnSync(process.execPath, [resolve(import.meta.dirname, 'ok.mjs'), ...args], {
    encoding: 'utf8',
    env,
  });
  const lines = stdout.trimEnd().split('\n');
  return { status, lines, lastLine: lines.at(-1) };
}

describe.skipIf(process.platform === 'win32')('the whole check', () => {
  it('passes when every step does', () => {
    const { status, lastLine } = runOk('nothing');
    expect([status, lastLine]).toEqual([0, '10 passed, 0 failed']);
  });

  it('stops at the first failure and says what was not run', () => {
    const { status, lines, lastLine } = runOk('lint');
    expect([status, lastLine]).toEqual([1, '1 passed, 1 failed']);
    expect(lines).toContain('e2e            not run');
  });

  it('goes on when asked to, and still fails', () => {
    const { status, lastLine } = runOk('lint', '--keep-going');
    expect([status, lastLine]).toEqual([1, '9 passed, 1 failed']);
  });
});
