import { expect, test } from 'vitest';
import { CodedError } from '../../../../base/index.ts';
import { SimulatedClock } from '../../../../platform/index.ts';
import { resolveLimits } from '../../../limits.ts';
import { openIndex } from './open-index.ts';

const wheel = { file_name: 'six-1.0-py3-none-any.whl', sha256: 'a'.repeat(64) };
const lock = { packages: { six: { name: 'six', ...wheel } } };

const uncounted = (): void => undefined;

/** A lock file that comes when it is told to. */
function openLock() {
  const asked: { readonly signal: AbortSignal; readonly answer: (response: Response) => void }[] = [];
  const fetch = (_url: string, { signal }: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      if (!signal) return reject(new TypeError('no signal'));
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      asked.push({ signal, answer: resolve });
    });
  const form = { form: 'pyodide-lock', url: 'https://index.example/lock.json' } as const;
  const index = openIndex({ ...form, fetch }, resolveLimits(), new SimulatedClock());
  return { index, asked };
}

test('a lock file is fetched once for all who wait; one who goes away ends the wait of no other', async () => {
  const { index, asked } = openLock();
  const leaving = new AbortController();
  const first = index.find('six', leaving.signal, uncounted);
  const second = index.find('six', new AbortController().signal, uncounted);
  await expect.poll(() => asked).toHaveLength(1);
  leaving.abort();
  await expect(first).rejects.toMatchObject({ code: 'port/cancelled' });
  asked[0]?.answer(Response.json(lock));
  expect(await second).toMatchObject([{ name: 'six' }]);
  expect(await index.find('six', new AbortController().signal, uncounted)).toHaveLength(1);
  expect(asked).toHaveLength(1);
});

test('each is told of its own end alone', async () => {
  const { index, asked } = openLock();
  const late = new AbortController();
  const first = index.find('six', late.signal, uncounted);
  await expect.poll(() => asked).toHaveLength(1);
  const second = index.find('six', new AbortController().signal, uncounted);
  late.abort(new CodedError('port/timeout', 'no answer within 60000 ms'));
  await expect(first).rejects.toMatchObject({ code: 'port/timeout' });
  asked[0]?.answer(new Response(undefined, { status: 500 }));
  await expect(second).rejects.toMatchObject({ code: 'executor/package-unavailable' });
});

test('a fetch that nobody waits for is ended, and the next one begins anew', async () => {
  const { index, asked } = openLock();
  const leaving = new AbortController();
  const first = index.find('six', leaving.signal, uncounted);
  await expect.poll(() => asked).toHaveLength(1);
  leaving.abort();
  await expect(first).rejects.toMatchObject({ code: 'port/cancelled' });
  expect(asked[0]?.signal.aborted).toBe(true);
  const second = index.find('six', new AbortController().signal, uncounted);
  await expect.poll(() => asked).toHaveLength(2);
  asked[1]?.answer(Response.json(lock));
  expect(await second).toHaveLength(1);
});

test('after a failure the next one begins anew, and keeps what it gets', async () => {
  const { index, asked } = openLock();
  const first = index.find('six', new AbortController().signal, uncounted);
  await expect.poll(() => asked).toHaveLength(1);
  asked[0]?.answer(new Response(undefined, { status: 500 }));
  await expect(first).rejects.toMatchObject({ code: 'executor/package-unavailable' });
  const second = index.find('six', new AbortController().signal, uncounted);
  await expect.poll(() => asked).toHaveLength(2);
  asked[1]?.answer(Response.json(lock));
  expect(await second).toHaveLength(1);
  expect(await index.find('other', new AbortController().signal, uncounted)).toHaveLength(0);
  expect(asked).toHaveLength(2);
});
