/** The table of formats: what a file of each begins with, and where its codec is. A codec is loaded when it is first used. */
import type { StateCodec, StateFormat } from './codec.ts';
import { fileMagic } from './codec.ts';

interface FormatEntry {
  readonly format: StateFormat;
  /** The first bytes of every file of the format. Any other first byte is another format. */
  readonly leading: readonly number[];
  load(): Promise<StateCodec>;
}

const magic = [...new TextEncoder().encode(fileMagic)];

export const formats: readonly FormatEntry[] = [
  {
    format: 'msgpack',
    // a list of three, a text of 14 bytes
    leading: [0x93, 0xa0 + magic.length, ...magic],
    load: async () => (await import('./msgpack/msgpack-codec.ts')).msgpackCodec,
  },
  {
    format: 'protobuf',
    // field 1, 14 bytes
    leading: [0x0a, magic.length, ...magic],
    load: async () => (await import('./protobuf/protobuf-codec.ts')).protobufCodec,
  },
  {
    format: 'etf',
    // the version of the term format; what follows has more than one form
    leading: [131],
    load: async () => (await import('./etf/etf-codec.ts')).etfCodec,
  },
];

/** @param format one of the table */
export function loadCodec(format: StateFormat): Promise<StateCodec> {
  const entry = formats.find((each) => each.format === format) as FormatEntry;
  return entry.load();
}
