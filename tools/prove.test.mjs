import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** @param {string} tool @param {...string} args */
function run(tool, ...args) {
  const script = resolve(import.meta.dirname, tool);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
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

  it('an unknown area names those there are', () => {
    const { status, stderr } = run('bench.mjs', 'nothing');
    expect(stderr).toMatch(/there is no area "nothing"; there are .*size/);
    expect(status).toBe(1);
  });
});
