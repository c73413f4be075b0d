/* oxlint-disable vitest/no-standalone-expect, vitest/expect-expect -- the laws hold the expectations */
/** The laws of a file format: what is written comes back, what cannot be is refused by name, and no file does harm. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCodedError } from '../../base/index.ts';
import { toCanonicalBytes } from './canonical.ts';
import type { FormatLimits } from './codec.ts';

/** A format under the laws. */
export interface FormatUnderTest {
  readonly name: string;
  /** The bytes of a file that holds `value`. */
  write(value: unknown, isGzipped?: boolean): Promise<Uint8Array>;
  /** What a file holds. It rejects, or gives the value; it changes nothing else. */
  read(bytes: Uint8Array, limits?: Partial<FormatLimits>): Promise<unknown>;
  /** Everything that the format says it carries. */
  readonly values: fc.Arbitrary<unknown>;
  /** What it cannot carry, to be found at `path` of a state. */
  readonly refused: readonly (readonly [what: string, value: unknown])[];
  /** How errors name where a part of `write({ a: [part] })` is. */
  readonly path: RegExp;
  /** Whether a checksum is in each file: then a changed bit is found, or means the same. */
  readonly isSealed: boolean;
  /** Files that no writer here makes, and the codes of which one must come. */
  readonly hostile: readonly (readonly [what: string, bytes: Uint8Array, codes: readonly string[]])[];
  /** Codes of damage besides those of `state`. */
  readonly otherCodes?: readonly string[];
}

const damageCodes = [
  'state/format-damaged',
  'state/format-unknown',
  'state/checksum-failed',
  'state/version-too-new',
  'state/value-too-large',
  'program/state-pickled',
];

/** More than any small file needs, on a machine that does other things too. */
const timeLimitMs = 5000;

const canonical = (value: unknown): string => Buffer.from(toCanonicalBytes(value)).toString('base64');

/** The laws of one format. */
class Laws {
  readonly #format: FormatUnderTest;

  constructor(format: FormatUnderTest) {
    this.#format = format;
  }

  async roundTrips(isGzipped: boolean): Promise<void> {
    await fc.assert(
      fc.asyncProperty(this.#format.values, async (value) => {
        const bytes = await this.#format.write(value, isGzipped);
        expect(isGzipped ? [bytes[0], bytes[1]] : bytes[0]).not.toEqual(isGzipped ? undefined : 0x1f);
        expect(canonical(await this.#format.read(bytes))).toBe(canonical(value));
      }),
      { numRuns: 150 },
    );
  }

  async refuses(part: unknown): Promise<void> {
    await expect(this.#format.write({ a: [part] })).rejects.toMatchObject({
      code: expect.stringMatching(/^(state\/not-encodable|program\/state-not-json)$/) as string,
      message: expect.stringMatching(this.#format.path) as string,
    });
  }

  /** A coded error, or a value; in bounded time; nobody's prototype is touched. */
  async survives(bytes: Uint8Array): Promise<{ readonly code: string } | { readonly value: unknown }> {
    const start = performance.now();
    let outcome: { readonly code: string } | { readonly value: unknown };
    try {
      outcome = { value: await this.#format.read(bytes) };
    } catch (error) {
      if (!isCodedError(error)) throw error;
      expect([...damageCodes, ...(this.#format.otherCodes ?? [])]).toContain(error.code);
      outcome = { code: error.code };
    }
    expect(performance.now() - start).toBeLessThan(timeLimitMs);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    return outcome;
  }

  async truncated(isGzipped: boolean): Promise<void> {
    const bytes = await this.#format.write(small, isGzipped);
    for (let length = 0; length < bytes.length; length++) {
      const outcome = await this.survives(bytes.slice(0, length));
      // the last byte of a text file is a newline
      if (this.#format.isSealed || length < bytes.length - 1) expect(outcome).toHaveProperty('code');
    }
  }

  async flipped(isGzipped: boolean): Promise<void> {
    const bytes = await this.#format.write(small, isGzipped);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Uint8Array.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const outcome = await this.survives(changed);
      if ('value' in outcome && (isGzipped || this.#format.isSealed)) {
        expect(canonical(outcome.value)).toBe(canonical(small));
      }
    }
  }

  /** Cut out, doubled, moved and overwritten with anything. */
  async mutated(): Promise<void> {
    const whole = await this.#format.write(small);
    const place = fc.nat(whole.length);
    const edits = fc.array(fc.tuple(place, place, fc.uint8Array({ maxLength: 12 })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(edits, async (each) => {
        let bytes = Buffer.from(whole);
        for (const [one, other, insert] of each) {
          const [from, to] = [Math.min(one, other), Math.max(one, other)];
          bytes = Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(Math.min(to, from + 12))]);
        }
        const outcome = await this.survives(new Uint8Array(bytes));
        if ('value' in outcome && this.#format.isSealed)
          expect(canonical(outcome.value)).toBe(canonical(small));
      }),
      { numRuns: 400 },
    );
  }

  /** The start of a file, then anything. */
  async random(): Promise<void> {
    const whole = await this.#format.write(small);
    await fc.assert(
      fc.asyncProperty(fc.nat(40), fc.uint8Array({ maxLength: 200 }), async (kept, rest) => {
        await this.survives(new Uint8Array(Buffer.concat([whole.subarray(0, kept), rest])));
      }),
      { numRuns: 400 },
    );
  }

  async bombed(): Promise<void> {
    const zeros = gzipSync(new Uint8Array(24 * 2 ** 20));
    const before = process.memoryUsage().arrayBuffers;
    await expect(this.#format.read(zeros, { maxFileBytes: 2 ** 20 })).rejects.toMatchObject({
      code: 'state/value-too-large',
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20);
  }

  async bounded(): Promise<void> {
    const bytes = await this.#format.write(small);
    await expect(this.#format.read(bytes, { maxFileBytes: bytes.length - 1 })).rejects.toMatchObject({
      code: 'state/value-too-large',
    });
    await expect(this.#format.read(gzipSync(gzipSync(bytes)))).rejects.toMatchObject({
      code: 'state/format-unknown',
    });
  }
}

/** Of every kind that all formats carry. */
const small = {
  name: 'größe 😀',
  list: [1, -1, 0.5, 300, 70_000, 5e9, true, false, null],
  deep: { er: [{ constructor: 'c', toString: 1 }] },
  empty: [{}, []],
};

/** One test per law. */
export function describeFormat(format: FormatUnderTest): void {
  const laws = new Laws(format);
  describe(`${format.name} keeps the laws of a format`, () => {
    test('any value comes back', () => laws.roundTrips(false), 60_000);
    test('any value comes back out of a gzip', () => laws.roundTrips(true), 60_000);
    test.each(format.refused)('%s is refused, by its path', (_what, part) => laws.refuses(part));
    test('cut short at any byte', () => laws.truncated(false), 60_000);
    test('cut short at any byte, in a gzip', () => laws.truncated(true), 60_000);
    test('any bit flipped', () => laws.flipped(false), 60_000);
    test('any bit flipped, in a gzip', () => laws.flipped(true), 60_000);
    test('parts of it cut out, doubled and overwritten', () => laws.mutated(), 60_000);
    test('its first bytes, then anything', () => laws.random(), 60_000);
    test('a bomb in a gzip', () => laws.bombed());
    test('a file that is too large, and a gzip in a gzip', () => laws.bounded());
    test.each(format.hostile)('%s', async (_what, bytes, codes) => {
      const outcome = await laws.survives(bytes);
      expect('code' in outcome ? outcome.code : `a value, expected ${codes.join(' or ')}`).toBeOneOf([
        ...codes,
      ]);
    });
  });
}

/** JSON values, with every kind of name and number that may go wrong. */
export const jsonValues: fc.Arbitrary<unknown> = fc.letrec((tie) => {
  const key = fc.oneof(
    fc.constantFrom(
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'toJSON',
      '',
      '0',
      '1',
      '$float2',
      'then',
    ),
    fc.string({ unit: 'grapheme', maxLength: 5 }),
  );
  return {
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(null, true, false, 0, 1, -1, 0.1, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 1e21, 5e-324),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('any'), { maxLength: 4 }),
      fc
        .array(fc.tuple(key, tie('any')), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries) as unknown),
    ),
  };
}).any;
