// Against what Erlang itself wrote: fixtures/etf/terms.escript says how. Where Erlang is installed it also reads what is written here.
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import fixture from '../../../../fixtures/etf/terms.json' with { type: 'json' };
import { defaultFormatLimits } from '../codec.ts';
import { decodeStateFile, encodeStateFile } from '../state-file.ts';
import { decodeTerm } from './decode-term.ts';
import { encodeTerm } from './encode-term.ts';
import { atom } from './term.ts';
import type { Term } from './term.ts';

const limits = defaultFormatLimits;
const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What Erlang says of a term. */
interface Description {
  readonly integer?: string;
  readonly float?: string;
  readonly atom?: string;
  readonly binary?: string;
  readonly bitstring?: string;
  readonly bits?: number;
  readonly list?: readonly Description[];
  readonly tuple?: readonly Description[];
  readonly map?: readonly Description[];
}

function termOf(said: Description): Term {
  if (said.integer !== undefined) {
    return Number.isSafeInteger(Number(said.integer)) ? Number(said.integer) : BigInt(said.integer);
  }
  if (said.float !== undefined) {
    return { type: 'float', value: Buffer.from(said.float, 'hex').readDoubleBE(0) };
  }
  if (said.atom !== undefined) return atom(Buffer.from(said.atom, 'hex').toString('utf8'));
  if (said.binary !== undefined) return fromHex(said.binary);
  if (said.bitstring !== undefined) {
    return { type: 'bitstring', bytes: fromHex(said.bitstring), lastBits: said.bits as number };
  }
  if (said.list) return said.list.map(termOf);
  if (said.tuple) return { type: 'tuple', items: said.tuple.map(termOf) };
  const parts = (said.map ?? []).map(termOf);
  const entries = parts.flatMap((key, index) =>
    index % 2 === 0 ? [[key, parts[index + 1] as Term] as const] : [],
  );
  return { type: 'map', entries };
}

const terms = fixture.terms as readonly (Record<'plain' | 'utf8' | 'old' | 'compressed', string> & {
  readonly term: Description;
})[];

describe('terms that Erlang wrote', () => {
  test.each(['plain', 'utf8', 'old', 'compressed'] as const)('%s: each is what Erlang says', async (kind) => {
    expect(terms.length).toBeGreaterThan(200);
    for (const each of terms)
      expect(await decodeTerm(fromHex(each[kind]), limits)).toEqual(termOf(each.term));
  });

  test('each is written as Erlang writes it', () => {
    for (const { term, utf8 } of terms) expect(toHex(encodeTerm(termOf(term)))).toBe(utf8);
  });

  test.each(fixture.refused)('$name is no data', async ({ bytes }) => {
    await expect(decodeTerm(fromHex(bytes), limits)).rejects.toMatchObject({ code: 'state/format-damaged' });
  });

  test('some are compressed indeed', () => {
    expect(terms.filter(({ compressed }) => compressed.startsWith('8350')).length).toBeGreaterThan(5);
  });

  test('a file that a program of Erlang wrote is read', async () => {
    expect(await decodeStateFile(fromHex(fixture.file), 'etf')).toEqual({
      kind: 'program',
      versions: { otp: '25' },
      state: {
        name: 'größe',
        count: 3,
        ratio: 0.5,
        whole: 2,
        nothing: null,
        missing: undefined,
        is_fine: true,
        mode: 'eval',
        items: [1, 'two', [3]],
        big: 2n ** 70n,
        chars: [97, 98, 99],
        empty: [],
        nested: JSON.parse('{"__proto__":1,"constructor":2}') as unknown,
        time: new Date(86_400_000),
        set: new Set([1, 2]),
        map: new Map([[1, 'one']]),
        infinite: Infinity,
        small: 5n,
        data: new Float64Array([1.5]),
      },
    });
  });
});

describe('terms that are damaged', () => {
  const bad: readonly [string, string][] = [
    ['another version', '826101'],
    ['nothing', '83'],
    ['something behind the term', '83610161'],
    ['a list of four thousand million', '836cffffffff'],
    ['a map of four thousand million', '8374ffffffff'],
    ['a tuple of four thousand million', '8369ffffffff'],
    ['a binary of four thousand million', '836dffffffff'],
    ['an integer of four thousand million bytes', '836fffffffff00'],
    ['an integer with a strange sign', '836e010201'],
    ['a float that is none', '83467ff0000000000000'],
    ['NaN', '83467ff8000000000000'],
    ['an old float of other letters', `8363${Buffer.from('0x1.8p3').toString('hex').padEnd(62, '0')}`],
    ['an atom that is too long', `8376${'0100'}${'61'.repeat(256)}`],
    ['an atom that is no UTF-8', '837702ff61'],
    ['nine bits in the last byte', '834d0000000109ff'],
    ['bits of no byte', '834d0000000001'],
    ['an atom of a cache that is not there', '835200'],
    ['compressed nothing', '8350'],
    ['compressed rubbish', '835000000003010203'],
  ];

  test.each(bad)('%s', async (_what, hex) => {
    await expect(decodeTerm(fromHex(hex), limits)).rejects.toMatchObject({ code: 'state/format-damaged' });
  });

  test('compressed data that is longer or shorter than it says, and that says too much', async () => {
    const { compressed } = terms.find((each) => each.compressed.startsWith('8350')) as (typeof terms)[number];
    const bytes = fromHex(compressed);
    for (const change of [-1, 1]) {
      const changed = Uint8Array.from(bytes);
      new DataView(changed.buffer).setUint32(2, new DataView(bytes.buffer).getUint32(2) + change);
      await expect(decodeTerm(changed, limits)).rejects.toMatchObject({ code: 'state/format-damaged' });
    }
    const small = { ...limits, maxFileBytes: 10 };
    await expect(decodeTerm(bytes, small)).rejects.toMatchObject({ code: 'state/value-too-large' });
  });

  test('a list that is a text costs as many values as it has characters', async () => {
    const bytes = encodeTerm(Array.from({ length: 100 }, () => 7));
    await expect(decodeTerm(bytes, { ...limits, maxValues: 100 })).rejects.toMatchObject({
      code: 'state/value-too-large',
    });
  });
});

const hasErlang = spawnSync('escript', ['--help']).error === undefined;

describe.skipIf(!hasErlang)('read by Erlang', () => {
  test('any state file comes back from it with the same value', { timeout: 60_000 }, async () => {
    const states = fc.sample(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        maxDepth: 4,
      }),
      { numRuns: 300, seed: 1 },
    );
    const files: Uint8Array[] = [];
    for (const state of [
      ...states,
      Array.from({ length: 65_535 }, () => 7),
      Array.from({ length: 65_536 }, () => 7),
    ]) {
      const file = { kind: 'test', versions: { test: '1' }, state };
      // what no file can hold, such as half a surrogate pair, is not for Erlang either
      const bytes = await encodeStateFile(file, 'etf', false).catch(() => undefined);
      if (bytes) files.push(bytes);
    }
    expect(files.length).toBeGreaterThan(200);
    const { stdout, stderr } = spawnSync('escript', ['fixtures/etf/terms.escript', 'again'], {
      input: `${files.map(toHex).join('\n')}\n`,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    expect(stderr).toBe('');
    const again = stdout.trim().split('\n').map(fromHex);
    expect(again.length).toBe(files.length);
    for (const [index, bytes] of again.entries()) {
      expect(await decodeStateFile(bytes, 'etf')).toEqual(
        await decodeStateFile(files[index] as Uint8Array, 'etf'),
      );
    }
  });
});
