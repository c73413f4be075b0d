// What Node does in program-file.test.ts, the page does: codecs that are loaded when they are used, and its own compression.
import { expect, test } from 'vitest';
import { openFile } from '../state/index.ts';
import { ChainOfThought } from './predict/chain-of-thought.ts';

const make = (): ChainOfThought<'question -> answer'> => new ChainOfThought('question -> answer');

test.each(['msgpack', 'protobuf', 'etf'] as const)('%s, plain and in a gzip, in a page', async (format) => {
  const program = make();
  program.predict.demos = [{ question: 'größe 😀', answer: 'x'.repeat(10_000) }];
  const plain = await program.save(undefined, { format });
  const packed = await program.save(undefined, { format, gzip: true });
  expect(packed.length).toBeLessThan(plain.length / 5);
  for (const bytes of [plain, packed]) {
    const other = make();
    expect(await other.load(new Blob([bytes]))).toEqual([]);
    expect(other.dumpState()).toEqual(program.dumpState());
  }
  await expect(openFile(packed.slice(0, -1))).rejects.toMatchObject({ code: 'state/format-damaged' });
});

test('a bomb is left at the bound', async () => {
  const zeros = new Blob([new Uint8Array(64 * 2 ** 20)]).stream().pipeThrough(new CompressionStream('gzip'));
  const bomb = new Uint8Array(await new Response(zeros).arrayBuffer());
  expect(bomb.length).toBeLessThan(2 ** 20);
  await expect(openFile(bomb, { maxFileBytes: 2 ** 20 })).rejects.toMatchObject({
    code: 'state/value-too-large',
  });
});
