/** Laws that every LanguageModel keeps. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isCodedError } from '../base/index.ts';
import type { LanguageModel } from './language-model.ts';
import type { LmConfig, LmRequest, LmResponse, LmStreamPart } from './message.ts';

export interface LanguageModelFixture {
  /** Answers with the last user message. */
  readonly echo: LanguageModel;
  /** Streams at most one word and then falls silent for ever. */
  readonly silent: LanguageModel;
  /** Calls that the far side still holds open; absent where there is no far side. */
  readonly openCalls?: () => Promise<number> | number;
  readonly close: () => Promise<void>;
}

export function askFor(text: string, config: LmRequest['config'] = {}): LmRequest {
  return {
    messages: [
      { role: 'system', content: 'Repeat.' },
      { role: 'user', content: text },
    ],
    config,
  };
}

export async function collect(stream: AsyncIterable<LmStreamPart>): Promise<{
  readonly texts: readonly string[];
  readonly response: LmResponse;
  readonly parts: number;
}> {
  const texts: string[] = [];
  const ends: LmResponse[] = [];
  let parts = 0;
  for await (const part of stream) {
    parts += 1;
    expect(ends).toHaveLength(0);
    if (part.type === 'response-end') ends.push(part.response);
    else texts[part.index] = (texts[part.index] ?? '') + part.text;
  }
  expect(ends).toHaveLength(1);
  return { texts, response: ends[0] as LmResponse, parts };
}

/** The code that a promise rejects with, or `resolved`. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: unknown) => (isCodedError(error) ? error.code : `not coded: ${String(error)}`),
  );
}

export function describeLanguageModel(name: string, open: () => Promise<LanguageModelFixture>): void {
  describe(`${name} is a LanguageModel`, () => {
    let fixture: LanguageModelFixture;
    const strays: unknown[] = [];
    const onStray = (error: unknown): void => void strays.push(error);
    const onStrayEvent = (event: { readonly reason?: unknown }): void => void strays.push(event.reason);

    beforeAll(async () => {
      fixture = await open();
      if (typeof process === 'object' && typeof process.on === 'function')
        process.on('unhandledRejection', onStray);
      else globalThis.addEventListener('unhandledrejection', onStrayEvent);
    });
    afterAll(async () => {
      await fixture.close();
      if (typeof process === 'object' && typeof process.off === 'function')
        process.off('unhandledRejection', onStray);
      else globalThis.removeEventListener('unhandledrejection', onStrayEvent);
      expect(strays).toEqual([]);
    });

    // Chromium may read on for 5 s where a call was cancelled between two pieces of its answer
    const untilClosed = async (): Promise<void> => {
      await expect.poll(() => fixture.openCalls?.() ?? 0, { timeout: 10_000 }).toBe(0);
    };

    test('says whether it is scripted, by flag and by name', () => {
      expect(fixture.echo.model.startsWith('scripted/')).toBe(fixture.echo.isScripted);
    });

    test('generate equals the concatenated stream, with the same usage and finish reason', async () => {
      const request = askFor('one two  three\nfour — fünf 👋');
      const whole = await fixture.echo.generate(request);
      const streamed = await collect(fixture.echo.stream(request));
      expect(whole.outputs.map((output) => output.text)).toEqual(['one two  three\nfour — fünf 👋']);
      expect(streamed.texts).toEqual(whole.outputs.map((output) => output.text));
      expect(streamed.response).toEqual(whole);
      expect(streamed.parts).toBeGreaterThan(2);
    });

    test('counts usage', async () => {
      const { usage } = await fixture.echo.generate(askFor('one two three'));
      expect(usage.outputTokens).toBeGreaterThan(0);
      expect(usage.inputTokens).toBeGreaterThan(0);
      expect(usage.totalTokens).toBe(usage.inputTokens + usage.outputTokens);
    });

    test('gives n answers, streamed under their index', async () => {
      const request = askFor('a b', { n: 3 });
      expect((await fixture.echo.generate(request)).outputs.map((output) => output.text)).toEqual([
        'a b',
        'a b',
        'a b',
      ]);
      expect((await collect(fixture.echo.stream(request))).texts).toEqual(['a b', 'a b', 'a b']);
    });

    test('requests and responses survive a structured clone', async () => {
      const request = askFor('x', { n: 2, stop: ['\n'], extensions: { user: 'someone' } });
      expect(structuredClone(request)).toEqual(request);
      const response = await fixture.echo.generate(structuredClone(request));
      expect(structuredClone(response)).toEqual(response);
    });

    test('calls at once do not mix', async () => {
      const words = Array.from({ length: 12 }, (_, index) => `word-${index} and more ${index}`);
      const answers = await Promise.all(
        words.map(async (word, index) =>
          index % 2 === 0
            ? (await fixture.echo.generate(askFor(word))).outputs[0]?.text
            : (await collect(fixture.echo.stream(askFor(word)))).texts[0],
        ),
      );
      expect(answers).toEqual(words);
    });

    test('an aborted signal ends generate at once with lm/cancelled and closes the call', async () => {
      const controller = new AbortController();
      const pending = codeOf(fixture.silent.generate(askFor('x'), { signal: controller.signal }));
      setTimeout(() => controller.abort(new Error('why')), 50);
      const startMs = performance.now();
      expect(await pending).toBe('lm/cancelled');
      expect(performance.now() - startMs).toBeLessThan(1000);
      await untilClosed();
    });

    test('an aborted signal ends a stream that waits', async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 50);
      const stream = fixture.silent.stream(askFor('x'), { signal: controller.signal });
      expect(await codeOf(collect(stream))).toBe('lm/cancelled');
      await untilClosed();
    });

    test('a signal that is aborted already sends nothing', async () => {
      const signal = AbortSignal.abort();
      expect(await codeOf(fixture.echo.generate(askFor('x'), { signal }))).toBe('lm/cancelled');
      expect(await codeOf(collect(fixture.echo.stream(askFor('x'), { signal })))).toBe('lm/cancelled');
    });

    test('one caller that aborts leaves the others alone', async () => {
      const controller = new AbortController();
      const cancelled = codeOf(fixture.silent.generate(askFor('x'), { signal: controller.signal }));
      const kept = fixture.echo.generate(askFor('kept'));
      controller.abort();
      expect(await cancelled).toBe('lm/cancelled');
      expect((await kept).outputs[0]?.text).toBe('kept');
    });

    test('timeoutMs ends both kinds of call with lm/timeout', async () => {
      expect(await codeOf(fixture.silent.generate(askFor('x'), { timeoutMs: 80 }))).toBe('lm/timeout');
      expect(await codeOf(collect(fixture.silent.stream(askFor('x'), { timeoutMs: 80 })))).toBe('lm/timeout');
      await untilClosed();
    });

    test('a reader that leaves early closes the call', async () => {
      for await (const part of fixture.echo.stream(askFor('one two three four'))) {
        expect(part.type).toBe('text-delta');
        break;
      }
      const iterator = fixture.silent.stream(askFor('x'))[Symbol.asyncIterator]();
      const first = await Promise.race([iterator.next(), new Promise((resolve) => setTimeout(resolve, 200))]);
      const waiting = first ? codeOf(iterator.next()) : Promise.resolve('lm/cancelled');
      await iterator.return?.();
      expect(await waiting).toBe('lm/cancelled');
      await untilClosed();
    });

    test('a stream that nobody reads sends nothing', async () => {
      const before = (await fixture.openCalls?.()) ?? 0;
      fixture.silent.stream(askFor('x'));
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect((await fixture.openCalls?.()) ?? 0).toBe(before);
    });

    test.each([
      ['no messages', { messages: [], config: {} }, 'messages'],
      ['an unknown role', { messages: [{ role: 'robot', content: 'x' }], config: {} }, 'messages[0].role'],
      [
        'content that is a number',
        { messages: [{ role: 'user', content: 7 }], config: {} },
        'messages[0].content',
      ],
      [
        'a part of unknown type',
        { messages: [{ role: 'user', content: [{ type: 'smell' }] }], config: {} },
        'messages[0].content[0].type',
      ],
      ['a temperature that is not a number', askFor('x', { temperature: Number.NaN }), 'config.temperature'],
      ['n of zero', askFor('x', { n: 0 }), 'config.n'],
      ['n beyond the bound', askFor('x', { n: 1e9 }), 'config.n'],
      ['a name that no setting has', askFor('x', { max_tokens: 5 } as LmConfig), 'config.max_tokens'],
      ['a name from the prototype', askFor('x', { toString: 5 } as never), 'config.toString'],
      [
        "a provider's own name for a format",
        askFor('x', { responseFormat: { type: 'json_object' } as never }),
        'config.responseFormat',
      ],
      [
        'a format without schema',
        askFor('x', { responseFormat: { type: 'json-schema' } as never }),
        'config.responseFormat',
      ],
      [
        'an extension that is no JSON',
        askFor('x', { extensions: { big: 1n as never } }),
        'config.extensions',
      ],
      ['null', null, 'request'],
    ])('refuses %s, naming the field', async (_, request, field) => {
      const failure = fixture.echo.generate(request as LmRequest);
      await expect(failure).rejects.toMatchObject({ code: 'lm/invalid-request', fields: { field } });
      const streamed = collect(fixture.echo.stream(request as LmRequest));
      await expect(streamed).rejects.toMatchObject({ code: 'lm/invalid-request', fields: { field } });
    });

    test('refuses a timeout of zero', async () => {
      expect(await codeOf(fixture.echo.generate(askFor('x'), { timeoutMs: 0 }))).toBe('lm/invalid-request');
    });
  });
}
