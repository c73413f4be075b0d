import { expect, test } from 'vitest';
import { Module, Parameter } from '../../program/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { createRuntime } from '../runtime.ts';

/** Says what it has when it begins, and when it goes on. */
class Reader extends Module<null, readonly number[]> {
  readonly value: Parameter<number> = new Parameter({ type: 'number', value: 0 });

  override async forward(): Promise<readonly number[]> {
    const first = this.value.value;
    await new Promise((resolve) => setTimeout(resolve, 0));
    return [first, this.value.value];
  }
}

test('what one turn asks for has its turns in the order in which it was asked for, also when it crosses together', async () => {
  await using runtime = createRuntime({ modules: { reader: Reader }, store: createMemoryStore() });
  const reader = await runtime.start('reader');
  const { value } = reader.parameters;
  const asked: Promise<unknown>[] = [];
  for (let round = 1; round <= 50; round++) {
    asked.push(reader.call(null), value.get(), value.set(round, { level: 'memory' }), value.get());
  }
  const answers = await Promise.all(asked);
  for (let round = 1; round <= 50; round++) {
    const [called, before, , after] = answers.slice(4 * (round - 1), 4 * round);
    expect((called as number[])[0]).toBe(round - 1);
    expect([before, after]).toEqual([round - 1, round]);
  }
});
