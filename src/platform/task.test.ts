import { describe, expect, it } from 'vitest';
import { runInNextTask } from './task.ts';

describe('runInNextTask', () => {
  it('runs callbacks in order, after every promise that follows from now', async () => {
    const seen: string[] = [];
    const ended = new Promise<void>((resolve) => {
      runInNextTask(() => seen.push('first'));
      runInNextTask(() => {
        seen.push('second');
        resolve();
      });
    });
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    seen.push('promises');
    await ended;
    expect(seen).toEqual(['promises', 'first', 'second']);
  });
});
