import { expect, test, vi } from 'vitest';
import { Scope } from './scope.ts';

test('what was acquired is released last first, once, each after the one before', async () => {
  const scope = new Scope();
  const order: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    scope.add(async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    });
  }
  await Promise.all([scope.dispose(), scope.dispose(), scope[Symbol.asyncDispose]()]);
  expect(order).toEqual(['c begins', 'c ends', 'b begins', 'b ends', 'a begins', 'a ends']);
});

test('a release that fails stops no other; one error comes as it is, several together', async () => {
  const released: number[] = [];
  const createScope = (failing: readonly number[]): Scope => {
    const scope = new Scope();
    for (const index of [1, 2, 3]) {
      scope.add(() => {
        released.push(index);
        if (failing.includes(index)) throw new Error(`no ${index}`);
      });
    }
    return scope;
  };
  await expect(createScope([2]).dispose()).rejects.toThrow('no 2');
  expect(released).toEqual([3, 2, 1]);
  const all: unknown = await createScope([1, 3])
    .dispose()
    .catch((error: unknown) => error);
  expect((all as AggregateError).errors.map(String)).toEqual(['Error: no 3', 'Error: no 1']);
});

test('what comes too late is released at once', async () => {
  const scope = new Scope();
  await scope.dispose();
  const release = vi.fn<() => void>();
  scope.add(release);
  await Promise.resolve();
  expect(release).toHaveBeenCalledOnce();
  expect(scope.isDisposed).toBe(true);
});

test('disposables of both kinds are used', async () => {
  const order: string[] = [];
  const scope = new Scope();
  scope.use({ [Symbol.dispose]: () => void order.push('sync') });
  scope.use({ [Symbol.asyncDispose]: () => Promise.resolve(void order.push('async')) });
  await scope.dispose();
  expect(order).toEqual(['async', 'sync']);
});
