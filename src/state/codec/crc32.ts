/** CRC-32 as in IEEE 802.3 and gzip (reflected, polynomial 0xEDB88320): finds damage, not malice. */

function tableEntry(index: number): number {
  let remainder = index;
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1;
  return remainder >>> 0;
}

const table = Uint32Array.from({ length: 256 }, (_, index) => tableEntry(index));

/** Of all of the bytes, as an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (let index = 0; index < bytes.length; index++) {
    // in range: an index below 256 and one below the length
    remainder = (remainder >>> 8) ^ (table[(remainder ^ (bytes[index] as number)) & 0xff] as number);
  }
  return (remainder ^ 0xffffffff) >>> 0;
}
