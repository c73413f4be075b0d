import { describe, expect, it } from 'vitest';
import { conclude, judge, toJsonRows, toTable } from './table.mjs';

describe('bench rows', () => {
  it.each([
    [{ ours: 2, beside: 1, goal: 2 }, true],
    [{ ours: 2.1, beside: 1, goal: 2 }, false],
    [{ ours: 2.1, beside: 0, goal: 2 }, false],
    [{ ours: 9, goal: 10 }, true],
    [{ ours: 11, goal: 10 }, false],
    [{ ours: 11, beside: 1, goal: 10, higherIsBetter: true }, true],
    [{ ours: 9, beside: 1, goal: 10, higherIsBetter: true }, false],
    [{ ours: 9, beside: 1 }, true],
  ])('%j passes: %s', (row, pass) => {
    expect(judge({ name: 'x', ...row }).pass).toBe(pass);
  });

  it.each([
    [{ name: '', ours: 1 }, 'needs a name'],
    [{ name: 'x', ours: Number.NaN }, 'ours is NaN'],
    [{ name: 'x', ours: 1, beside: Infinity }, 'beside is Infinity'],
    [{ name: 'x', ours: 1, goal: Number.NaN }, 'goal is NaN'],
  ])('%j is refused', (row, message) => {
    expect(() => judge(row)).toThrow(message);
  });

  it('writes six keys and prints a table', () => {
    const rows = [judge({ name: 'get', ours: 3, beside: 2, unit: 'ms', goal: 1, spread: [1.25, 1.75] })];
    expect(toJsonRows(rows)).toEqual([{ name: 'get', ours: 3, beside: 2, ratio: 1.5, goal: 1, pass: false }]);
    expect(toTable(rows).split('\n')[1]).toBe('get      3       2  ms     1.5×  1.25–1.75  ≤ 1×  FAIL');
  });

  it('neither passes nor fails what was not measured', () => {
    const row = judge({ name: 'parse', ours: 3, unit: 'µs', goal: 1, isMeasured: false });
    expect(row.pass).toBeNull();
    expect(toTable([row]).split('\n')[1]).toBe(
      'parse     3       –  µs        –          ≤ 1×  not measured',
    );
  });
});

describe('the end of a bench', () => {
  const good = judge({ name: 'good', ours: 1, goal: 2 });
  const bad = judge({ name: 'bad', ours: 3, goal: 2 });
  const open = judge({ name: 'open', ours: 3, goal: 2, isMeasured: false });

  it.each([
    [[good], false, ['all goals met'], 0],
    [[good, bad], false, ['fell short: bad'], 0],
    [[good, bad], true, ['sabotaged, and seen:', 'fell short: bad'], 0],
    [[good], true, ['sabotaged, and NOT seen: this bench proves nothing', 'all goals met'], 1],
    [[good, open], false, ['not measured: 1 of 2 rows', 'no measured goal was missed'], 0],
    [
      [open],
      true,
      [
        'not measured: 1 of 1 rows',
        'sabotaged, and NOT seen: this bench proves nothing',
        'no measured goal was missed',
      ],
      1,
    ],
  ])('%#: says whether it held', (rows, sabotage, lines, exitCode) => {
    expect(conclude(rows, sabotage)).toEqual({ lines, exitCode });
  });
});
