/** The only place that draws chance. */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `length` bytes. */
  bytes(length: number): Uint8Array;
}

/** Bytes that were drawn together: asking the platform costs far more than a few of its bytes. */
const poolBytes = 4096;
let pool = new Uint8Array();
let taken = 0;

/** Each byte is handed out once. */
function drawBytes(length: number): Uint8Array {
  if (length > poolBytes / 4) return crypto.getRandomValues(new Uint8Array(length));
  if (taken + length > pool.length) {
    pool = crypto.getRandomValues(new Uint8Array(poolBytes));
    taken = 0;
  }
  taken += length;
  return pool.slice(taken - length, taken);
}

export const systemRandom: Random = {
  next() {
    const [high, low] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number];
    return (high * 2 ** 21 + (low >>> 11)) / 2 ** 53;
  },
  bytes: drawBytes,
};

/**
 * A repeatable generator for tests and simulations; never for secrets.
 * sfc32 by Chris Doty-Humphrey (PractRand), seeded with splitmix32.
 */
export function seededRandom(seed: number): Random {
  let mixed = seed >>> 0;
  const splitmix = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = mixed ^ (mixed >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let [a, b, c, counter] = [splitmix(), splitmix(), splitmix(), 1];
  const next32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  return {
    next: () => next32() / 2 ** 32,
    bytes: (length) => Uint8Array.from({ length }, () => next32() & 0xff),
  };
}

const hexOf: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** `bytes` random bytes as lower-case hex. */
export function randomHex(random: Random, bytes: number): string {
  const drawn: Uint8Array & { toHex?: () => string } = random.bytes(bytes);
  // newer engines write it at once
  if (drawn.toHex) return drawn.toHex();
  let text = '';
  for (const byte of drawn) text += hexOf[byte];
  return text;
}
