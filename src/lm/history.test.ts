import { describe, expect, test } from 'vitest';
import cases from '../../fixtures/dspy/history.json' with { type: 'json' };
import { SimulatedClock } from '../platform/index.ts';
import { createHistory, inspectHistory, withHistory } from './history.ts';
import type { LmHistoryEntry } from './history.ts';
import { askFor, collect } from './language-model.contract.ts';
import type { LmContentPart, LmMessage } from './message.ts';
import { scriptedLm } from './provider/scripted.ts';
import { addUsage, noUsage } from './usage.ts';

type Case = (typeof cases)[number]['history'][number];
type ChatPart = {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: { readonly url: string };
};

const toPart = (part: ChatPart): LmContentPart =>
  part.type === 'text'
    ? { type: 'text', text: part.text ?? '' }
    : { type: 'image-url', url: part.image_url?.url ?? '' };

function toEntry({ timestamp, messages, outputs }: Case): LmHistoryEntry {
  return {
    atMs: Date.parse(timestamp),
    model: 'm',
    request: {
      config: {},
      messages: messages.map(({ role, content }) => ({
        role: role as LmMessage['role'],
        content: typeof content === 'string' ? content : content.map(toPart),
      })),
    },
    response: {
      model: 'm',
      usage: noUsage,
      outputs: outputs.map((text) => ({ text, finishReason: 'stop' })),
    },
  };
}

describe('inspectHistory prints what DSPy 3.3.1 prints', () => {
  test.each(cases)('$name', ({ history, count, text }) => {
    expect(inspectHistory(history.map(toEntry), count)).toBe(text);
  });
});

test('white space without end inside a text is printed soon', () => {
  const content = `a${' '.repeat(500_000)}b`;
  const entry = toEntry({
    timestamp: '2026-11-22',
    messages: [{ role: 'user', content }],
    outputs: ['x'],
  } as Case);
  const startMs = performance.now();
  expect(inspectHistory([entry])).toContain(content);
  expect(performance.now() - startMs).toBeLessThan(1000);
});

describe('withHistory', () => {
  test('notes answers of both kinds, and no failures', async () => {
    const history = createHistory();
    const clock = new SimulatedClock(5000);
    const lm = scriptedLm({
      script: (request) => (request.messages.at(-1)?.content === 'bad' ? undefined : 'fine day'),
    });
    const noted = withHistory(lm, history, clock);
    await noted.generate(askFor('one'));
    await collect(noted.stream(askFor('two')));
    await expect(noted.generate(askFor('bad'))).rejects.toThrow('no answer');
    for await (const part of noted.stream(askFor('left early'))) if (part.type === 'text-delta') break;
    expect(history.entries.map((entry) => entry.request.messages.at(-1)?.content)).toEqual(['one', 'two']);
    expect(history.entries[1]).toMatchObject({
      atMs: 5000,
      model: 'scripted/lm',
      response: { outputs: [{ text: 'fine day' }] },
    });
    expect(noted).toMatchObject({ model: lm.model, isScripted: true });
  });

  test('keeps the last entries only', () => {
    const history = createHistory(2);
    for (const text of ['a', 'b', 'c']) {
      history.add({
        atMs: 0,
        model: text,
        request: askFor(text),
        response: { model: text, outputs: [], usage: noUsage },
      });
    }
    expect(history.entries.map((entry) => entry.model)).toEqual(['b', 'c']);
    expect(() => createHistory(-1)).toThrow('capacity is -1, expected an integer of at least 0');
  });
});

test('usage adds up', () => {
  const one = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
  expect(addUsage(addUsage(noUsage, one), one)).toEqual({ inputTokens: 2, outputTokens: 4, totalTokens: 6 });
});
