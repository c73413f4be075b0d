import { expect, test, vi } from 'vitest';
import { sha256Hex } from './digest.ts';

const encode = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));

// the examples of FIPS 180-2, appendix B
test('known digests', async () => {
  expect(await sha256Hex(encode('abc'))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  expect(await sha256Hex(encode(''))).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
});

test('without WebCrypto the error says what is needed', async () => {
  vi.stubGlobal('crypto', {});
  await expect(sha256Hex(encode('abc'))).rejects.toMatchObject({ code: 'platform/digest-unavailable' });
  vi.unstubAllGlobals();
});
