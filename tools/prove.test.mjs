import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** @param {string} tool @param {...string} args */
function run(tool, ...args) {
  return runWith({}, tool, ...args);
}

/** @param {Record<string, string>} environment @param {string} tool @param {...string} args */
function runWith(environment, tool, ...args) {
  const script = resolve(import.meta.dirname, tool);
  const env = { ...process.env, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env,
  });
  return { status, stderr, lastLine: stdout.trim().split('\n').at(-1) };
}

describe('commands with a name', () => {
  it('an unknown proof falls short and names those there are', () => {
    const { status, stderr, lastLine } = run('prove.mjs', 'nothing');
    expect(stderr).toMatch(/there is no proof "nothing"; there are .*dspy/);
    expect([status, lastLine]).toEqual([1, 'fell short']);
  });

  it.each(['0', '-1', 'x', '100000'])('refuses --seconds=%s by name', (seconds) => {
    const { status, stderr } = run('prove.mjs', 'dspy', `--seconds=${seconds}`);
    expect(stderr).toContain(`--seconds is "${seconds}"`);
    expect(status).toBe(1);
  });

  it.each(['0', '-1', '1.5', 'x', '1000000'])('refuses --kills=%s by name', (kills) => {
    const { status, stderr } = run('prove.mjs', 'durability', `--kills=${kills}`);
    expect(stderr).toContain(`--kills is "${kills}"`);
    expect(status).toBe(1);
  });

  it('an engine that there is not is refused by name', () => {
    const { status, stderr, lastLine } = run('prove.mjs', 'escape', '--engine=opera');
    expect(stderr).toContain('--engine is "opera"; it must be one of chromium, firefox, webkit');
    expect([status, lastLine]).toEqual([1, 'fell short']);
  });

  it.each([
    ['firefox', 'VIVARIUM_FIREFOX'],
    ['webkit', 'VIVARIUM_WEBKIT_DRIVER'],
    ['webkit', 'VIVARIUM_XVFB'],
  ])('an engine that is not installed is no pass: %s without %s', (engine, variable) => {
    const present = { VIVARIUM_WEBKIT_DRIVER: process.execPath, VIVARIUM_XVFB: process.execPath };
    const missing = { ...present, [variable]: '/nowhere/at/all' };
    const { status, stderr, lastLine } = runWith(missing, 'prove.mjs', 'escape', `--engine=${engine}`);
    expect(stderr).toContain(`${variable} is "/nowhere/at/all"`);
    expect([status, lastLine]).toEqual([1, 'fell short']);
  });

  // elsewhere an application folder is looked into, too
  it.skipIf(process.platform !== 'linux').each([
    ['firefox', /firefox was not found: install Firefox .*VIVARIUM_FIREFOX/u],
    ['webkit', /WebKitWebDriver was not found: install .*webkit2gtk-driver/u],
  ])('and says what to install: %s', (engine, words) => {
    const { status, stderr } = runWith(
      { PATH: '/nowhere', VIVARIUM_FIREFOX: '', VIVARIUM_WEBKIT_DRIVER: '' },
      'prove.mjs',
      'escape',
      `--engine=${engine}`,
    );
    expect(stderr).toMatch(words);
    expect(status).toBe(1);
  });

  it('an unknown area names those there are', () => {
    const { status, stderr } = run('bench.mjs', 'nothing');
    expect(stderr).toMatch(/there is no area "nothing"; there are .*size/);
    expect(status).toBe(1);
  });
});
