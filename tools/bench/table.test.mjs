import { describe, expect, it } from 'vitest';
import { judge, toJsonRows, toTable } from './table.mjs';

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
});
