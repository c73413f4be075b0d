import { expect, test } from 'vitest';

class TestWorker {
  readonly #worker = new Worker(new URL('./pglite-test.worker.ts', import.meta.url), { type: 'module' });
  #count = 0;

  call<T>(call: string, ...rest: unknown[]): Promise<T> {
    const id = this.#count++;
    this.#worker.postMessage({ id, call, arguments: rest });
    return new Promise((resolve, reject) => {
      this.#worker.addEventListener(
        'message',
        ({ data }: MessageEvent<{ id: number; value?: T; code?: string }>) => {
          if (data.id !== id) return;
          if (data.code === undefined) resolve(data.value as T);
          else reject(new Error(data.code));
        },
      );
    });
  }

  terminate(): void {
    this.#worker.terminate();
  }
}

const large = new Uint8Array(300_000).map((_, index) => index * 7);

test(
  'Postgres in a worker keeps what it acknowledged, though the worker is killed; one worker at a time has it',
  { timeout: 180_000 },
  async () => {
    const dataDir = `opfs-ahp://vivarium-test-${crypto.randomUUID()}`;
    const first = new TestWorker();
    expect(await first.call('open', dataDir)).toMatchObject({ durable: true, strict: true, history: 2 });
    await first.call('commit', [
      { type: 'put', key: ['k'], value: { large, at: -0 } },
      { type: 'put', key: ['n'], value: 1 },
    ]);
    const second = new TestWorker();
    await expect(second.call('open', dataDir)).rejects.toThrow('state/blocked');
    await first.call('commit', [{ type: 'put', key: ['n'], value: 2, expectedRevision: 1 }]);
    void first.call('commit', [{ type: 'put', key: ['torn'], value: 1 }]);
    first.terminate();

    await expect
      .poll(
        () =>
          second.call('open', dataDir).then(
            () => 'open',
            (error: Error) => error.message,
          ),
        {
          timeout: 60_000,
          interval: 500,
        },
      )
      .toBe('open');
    expect(await second.call('get', ['k'])).toMatchObject({ value: { large, at: -0 }, revision: 1 });
    expect(await second.call('history', ['n'])).toMatchObject([{ value: 1 }, { value: 2, revision: 2 }]);
    await second.call('commit', [{ type: 'delete', key: ['n'] }]);
    expect(await second.call('get', ['n'])).toBeUndefined();
    await second.call('close');
    second.terminate();
  },
);
