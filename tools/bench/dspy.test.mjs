import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findDspy, putBeside, readTiming } from './dspy.mjs';
import { judge } from './table.mjs';

const folder = mkdtempSync(join(tmpdir(), 'vivarium-dspy-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that answers as a Python would. @param {string} name @param {string} script */
function pythonThat(name, script) {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** @param {number[]} roundsUs */
const timing = (roundsUs) => ({
  dspy: '3.3.1',
  python: '3.11.7',
  groups: { parse: { cases: 601, roundsUs } },
});
const row = {
  name: 'answers parsed, per case of 601',
  ours: 10,
  unit: 'µs',
  goal: 1,
  spread: '9.0–11.0',
  group: 'parse',
};

describe('the Python with DSPy', () => {
  it('is the one that is named, when it has the pinned version', async () => {
    const python = pythonThat('right', 'echo 3.3.1');
    expect(await findDspy({ VIVARIUM_DSPY_PYTHON: python })).toEqual({ python });
  });

  it.each([
    ['another version', pythonThat('other', 'echo 2.6.0'), 'has DSPy 2.6.0, not 3.3.1'],
    ['no DSPy', pythonThat('without', 'exit 1'), 'has no DSPy'],
    ['no such file', join(folder, 'missing'), 'has no DSPy'],
  ])('with %s that is named is an error that says how to get it', async (_name, python, message) => {
    const found = findDspy({ VIVARIUM_DSPY_PYTHON: python });
    await expect(found).rejects.toThrow(message);
    await expect(found).rejects.toThrow('pip install dspy==3.3.1');
  });
});

describe('the figures of DSPy', () => {
  it('are the median of all rounds, and judged', () => {
    const reported = putBeside([row], [timing([30, 10, 20]), timing([25, 40])]);
    expect(reported).toEqual([
      {
        name: row.name,
        ours: 10,
        unit: 'µs',
        goal: 1,
        beside: 25,
        spread: '9.0–11.0 beside 10.0–40.0',
      },
    ]);
    expect(reported.map(judge)).toMatchObject([{ ratio: 0.4, pass: true }]);
    const slow = putBeside([{ ...row, ours: 26 }], [timing([25])]);
    expect(slow.map(judge)).toMatchObject([{ pass: false }]);
  });

  it('are missing without a Python: nothing passes, nothing fails', () => {
    expect(putBeside([row], []).map(judge)).toMatchObject([{ ours: 10, beside: null, pass: null }]);
  });

  it('are refused when they are of other cases', () => {
    expect(() => putBeside([{ ...row, group: 'format' }], [timing([1])])).toThrow('no group "format"');
    expect(() => putBeside([{ ...row, name: 'per case of 60' }], [timing([1])])).toThrow('over 601 cases');
  });

  it.each([
    [{ ...timing([1]), dspy: '3.4.0' }, 'timed DSPy 3.4.0'],
    [timing([]), 'says of parse'],
    [timing([0]), 'says of parse'],
  ])('%j is refused', (printed, message) => {
    expect(() => readTiming(JSON.stringify(printed))).toThrow(message);
  });
});
