import { describe, expect, test, vi } from 'vitest';
import { CodedError } from '../../base/index.ts';
import { SimulatedClock } from '../../platform/index.ts';
import { askFor, codeOf, collect } from '../language-model.contract.ts';
import { lmError } from '../error.ts';
import { scriptedLm } from './scripted.ts';

describe('scriptedLm', () => {
  test('its name says that it is scripted', async () => {
    const lm = scriptedLm({ script: () => 'x', name: 'demo' });
    expect(lm.model).toBe('scripted/demo');
    expect(lm.isScripted).toBe(true);
    expect((await lm.generate(askFor('?'))).model).toBe('scripted/demo');
  });

  test('streams word by word, white space kept', async () => {
    const lm = scriptedLm({ script: () => '  one two\n\nthree  ' });
    const words: string[] = [];
    for await (const part of lm.stream(askFor('?'))) if (part.type === 'text-delta') words.push(part.text);
    expect(words).toEqual(['  one ', 'two\n\n', 'three  ']);
  });

  test('a prompt without an answer is named', async () => {
    const lm = scriptedLm({ script: () => undefined });
    await expect(lm.generate(askFor('what is new?'))).rejects.toMatchObject({
      code: 'lm/script-exhausted',
      isRetryable: false,
      fields: { prompt: 'what is new?', model: 'scripted/lm' },
      message: '[scripted/lm] the script has no answer for: what is new?',
    });
    expect(await codeOf(collect(lm.stream(askFor('?'))))).toBe('lm/script-exhausted');
  });

  test('a call that was cancelled before it began asks nothing', async () => {
    const script = vi.fn(() => 'x');
    const signal = AbortSignal.abort();
    expect(await codeOf(scriptedLm({ script }).generate(askFor('?'), { signal }))).toBe('lm/cancelled');
    expect(await codeOf(collect(scriptedLm({ script }).stream(askFor('?'), { signal })))).toBe(
      'lm/cancelled',
    );
    expect(script).not.toHaveBeenCalled();
  });

  test('a limit longer than a timer of the platform is kept', async () => {
    const clock = new SimulatedClock();
    const timeoutMs = 2 ** 32;
    const call = scriptedLm({ script: () => new Promise(() => undefined), clock }).generate(askFor('?'), {
      timeoutMs,
    });
    const code = codeOf(call);
    await clock.advance(timeoutMs);
    expect(await Promise.race([code, new Promise((resolve) => setTimeout(resolve, 50, 'still open'))])).toBe(
      'lm/timeout',
    );
  });

  test('a long prompt is shown in part', async () => {
    const lm = scriptedLm({ script: () => undefined });
    await expect(lm.generate(askFor('x'.repeat(1e6)))).rejects.toMatchObject({
      fields: { prompt: `${'x'.repeat(200)}…` },
    });
  });

  test('several answers, and too few of them', async () => {
    const lm = scriptedLm({ script: () => ({ text: ['a', 'b'], finishReason: 'length' }) });
    expect((await lm.generate(askFor('?', { n: 2 }))).outputs).toEqual([
      { text: 'a', finishReason: 'length' },
      { text: 'b', finishReason: 'length' },
    ]);
    await expect(lm.generate(askFor('?', { n: 3 }))).rejects.toThrow('only 2 of 3 answers');
  });

  test('what the script throws', async () => {
    const broken = scriptedLm({
      script: () => {
        throw new TypeError('oops');
      },
    });
    await expect(broken.generate(askFor('?'))).rejects.toMatchObject({ code: 'lm/script-failed' });
    const limited = scriptedLm({
      script: () => Promise.reject(lmError('lm/rate-limited', 'slow', { model: 'm' })),
    });
    expect(await codeOf(limited.generate(askFor('?')))).toBe('lm/rate-limited');
    const foreign = scriptedLm({ script: () => Promise.reject(new CodedError('executor/denied', 'no')) });
    expect(await codeOf(foreign.generate(askFor('?')))).toBe('executor/denied');
  });

  test.each([7, null, {}, { text: 1 }, { text: ['a', 2] }])('an answer of %j is refused', async (answer) => {
    const lm = scriptedLm({ script: () => answer as never });
    expect(await codeOf(lm.generate(askFor('?')))).toBe('lm/script-failed');
  });

  test('pauses run on the clock handed in', async () => {
    const clock = new SimulatedClock();
    const lm = scriptedLm({ script: () => ({ text: 'a b', delayMs: 1000, wordDelayMs: 500 }), clock });
    const times: number[] = [];
    const reading = (async () => {
      for await (const part of lm.stream(askFor('?')))
        if (part.type === 'text-delta') times.push(clock.monotonic());
    })();
    for (let step = 0; step < 30; step++) await clock.advance(100);
    await reading;
    expect(times[0]).toBeGreaterThanOrEqual(1000);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(500);
  });
});
