/** The program of the README, letter for letter (tools/docs.test.mjs compares), with a real model server at its address. */
import { afterEach, expect, inject, test, vi } from 'vitest';
import { openIndexedDbStore } from './state/index.ts';

const page = import.meta.glob('../examples/readme/page.ts');
const address = 'http://localhost:11434/v1/';

afterEach(() => vi.restoreAllMocks());

test('the program of the README answers, and its parameter is on disk', async () => {
  const asked: string[] = [];
  const realFetch = globalThis.fetch;
  // the README names a port of the machine; here another one is free
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (!url.startsWith(address)) return realFetch(input, init);
    asked.push(url);
    return realFetch(url.replace(address, `${inject('openAiServers').readme}/`), init);
  });
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await page['../examples/readme/page.ts']?.();
  expect(log.mock.calls).toEqual([[{ answer: 'In at most 20 words: What is a vivarium?' }]]);
  expect(asked).toEqual([`${address}chat/completions`]);

  await using store = await openIndexedDbStore({ name: 'my-app' });
  const kept = (await store.list<{ state: { value: number } }>([])).find(({ key }) =>
    key.includes('maxWords'),
  );
  expect(kept?.value.state.value).toBe(20);
});
