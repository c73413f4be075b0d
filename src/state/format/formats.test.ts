import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';
import { CodedError } from '../../base/index.ts';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { Packr } from 'msgpackr/pack';
import { describe, expect, test } from 'vitest';
import { defaultFormatLimits } from './codec.ts';
import type { FormatLimits, StateFormat } from './codec.ts';
import { encodeTerm } from './etf/encode-term.ts';
import { atom, tuple } from './etf/term.ts';
import type { Term } from './etf/term.ts';
import { describeFormat, jsonValues } from './format-laws.contract.ts';
import type { FormatUnderTest } from './format-laws.contract.ts';
import { stateFileDescriptor, stateFileMessage } from './protobuf/state-schema.ts';
import { recogniseFile } from './recognise.ts';
import { decodeStateFile, encodeStateFile } from './state-file.ts';

const versions = { vivarium: '0.1.0' };
const damaged = ['state/format-damaged'];
const tooNew = ['state/version-too-new'];

async function read(bytes: Uint8Array, changed: Partial<FormatLimits> = {}): Promise<unknown> {
  const limits = { ...defaultFormatLimits, ...changed };
  const file = await recogniseFile(bytes, limits);
  if (file.format === 'json' || file.format === 'pickle')
    throw new CodedError('program/state-pickled', file.format);
  return (await decodeStateFile(file.bytes, file.format, limits)).state;
}

const write = (format: StateFormat, state: unknown, isGzipped = false): Promise<Uint8Array> =>
  encodeStateFile({ kind: 'test', versions, state }, format, isGzipped);

const concat = (...parts: (readonly number[] | Uint8Array | string)[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part as string))));

/** All that state files carry. */
const stateValues: fc.Arbitrary<unknown> = fc.oneof(
  jsonValues,
  fc
    .anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withNullPrototype: true,
      stringUnit: 'grapheme',
      maxDepth: 3,
    })
    .filter((value) => !hasInvalidDate(value)),
  fc.bigInt(),
  fc.constantFrom<unknown>(
    undefined,
    -0,
    Number.NaN,
    Infinity,
    -Infinity,
    [-0, undefined],
    2 ** 53,
    2n ** 63n,
    -(2n ** 64n),
    2n ** 1000n,
    new Date(-1),
    new Date(8.64e15),
    new Date(-8.64e15),
    new Date(1_700_000_000_123),
    new Uint8Array([1, 2]).buffer,
    new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1),
    new Float64Array([Number.NaN, -0]).subarray(1),
    new BigInt64Array([-1n]),
    new Map<unknown, unknown>([[{ k: 1 }, new Map([[1, new Set()]])]]),
    new Map([[1, null]]),
  ),
);

function hasInvalidDate(value: unknown): boolean {
  if (value instanceof Date) return Number.isNaN(value.getTime());
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if (value instanceof Map) return [...value].flat(1).some(hasInvalidDate);
  return (value instanceof Set ? [...value] : Object.values(value)).some(hasInvalidDate);
}

const cycle: { self?: unknown } = {};
cycle.self = cycle;
const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
};

const refused: readonly (readonly [string, unknown])[] = [
  ['a function', () => 1],
  ['a symbol', Symbol('s')],
  ['a pattern', /a/],
  ['an error', new Error('e')],
  ['an instance of a class', new (class Point {})()],
  ['a promise', Promise.resolve()],
  ['an invalid date', new Date(Number.NaN)],
  ['half a surrogate pair', 'a\ud800'],
  ['half a surrogate pair in a name', { '\udc00': 1 }],
  ['a cycle', cycle],
  ['too deep a value', deep(300)],
  ['a bigint of 5,000 bytes', 2n ** 40_000n],
];

const under = (format: StateFormat, hostile: FormatUnderTest['hostile']): FormatUnderTest => ({
  name: format,
  write: (value, isGzipped) => write(format, value, isGzipped),
  read,
  values: stateValues,
  refused,
  path: /^state\.a\[0\]/,
  isSealed: true,
  hostile,
});

const million = 1_000_000;

const magic = 'vivarium-state';
const packed = (body: unknown, version: unknown = 1): Uint8Array =>
  new Uint8Array(new Packr({ useRecords: false, moreTypes: true }).pack([magic, version, body]));
const msgpackHead = [0x93, 0xae];
/** A file of which the state is `bytes`. */
const msgpackState = (...bytes: (readonly number[] | Uint8Array)[]): Uint8Array =>
  concat(
    msgpackHead,
    magic,
    [1, 0x83],
    [0xa4],
    'kind',
    [0xa1],
    't',
    [0xa8],
    'versions',
    [0x80, 0xa5],
    'state',
    ...bytes,
  );

describeFormat(
  under('msgpack', [
    ['a newer version', packed({ what: 'ever' }, 2), tooNew],
    ['a much newer version', packed({ what: 'ever' }, 70_000), tooNew],
    ['a version that is none', packed({}, 'one'), damaged],
    ['no version', concat(msgpackHead, magic), damaged],
    ['a million levels', msgpackState(new Uint8Array(million).fill(0x91), [0xc0]), damaged],
    ['a million levels of maps', msgpackState(Buffer.alloc(3 * million, '81a161', 'hex'), [0xc0]), damaged],
    ['a list of four thousand million', msgpackState([0xdd, 0xff, 0xff, 0xff, 0xff]), damaged],
    ['a map of four thousand million', msgpackState([0xdf, 0xff, 0xff, 0xff, 0xff]), damaged],
    ['a text of four thousand million', msgpackState([0xdb, 0xff, 0xff, 0xff, 0xff]), damaged],
    ['bytes, four thousand million', msgpackState([0xc6, 0xff, 0xff, 0xff, 0xff]), damaged],
    ['an extension of four thousand million', msgpackState([0xc9, 0xff, 0xff, 0xff, 0xff, 0x74]), damaged],
    ['a key twice', msgpackState([0x82, 0xa1, 0x61, 1, 0xa1, 0x61, 2]), damaged],
    [
      '__proto__ twice',
      msgpackState([0x82], ...[1, 2].map((n) => concat([0xa9], '__proto__', [n]))),
      damaged,
    ],
    ['a number as a key', msgpackState([0x82, 1, 1, 2, 2]), damaged],
    ['a pattern that never ends', msgpackState([0xd4, 0x78, 0], packedPattern()), damaged],
    ['an error', msgpackState([0xd4, 0x65, 0, 0x92, 0xa1, 0x65, 0xa1, 0x65]), damaged],
    ['a record', msgpackState([0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 1]), damaged],
    ['a reference', msgpackState([0xd6, 0x70, 0, 0, 0, 1]), damaged],
    ['a byte that begins nothing', msgpackState([0xc1]), damaged],
    [
      'three million lists',
      msgpackState([0xdd, 0, 0x30, 0, 0], new Uint8Array(3 * 2 ** 20).fill(0x90)),
      ['state/value-too-large'],
    ],
    ['another key', packed({ kind: 't', versions: {}, state: 1, more: 1 }), damaged],
    ['no kind', packed({ versions: {}, state: 1 }), damaged],
    ['versions that are no texts', packed({ kind: 't', versions: { a: 1 }, state: 1 }), damaged],
    [
      'another checksum',
      packed({ kind: 't', versions: {}, state: 1, checksum: '0'.repeat(64) }),
      ['state/checksum-failed'],
    ],
    ['a checksum that is none', packed({ kind: 't', versions: {}, state: 1, checksum: 5 }), damaged],
  ]),
);

function packedPattern(): Uint8Array {
  return new Uint8Array(new Packr({ useRecords: false }).pack(['(a+)+$', '']));
}

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
const field = (number: number, content: Uint8Array | string): Uint8Array =>
  concat([8 * number + 2], varint(content.length), content);
/** A file of which the fields after kind are `fields`. */
const protobuf = (...fields: Uint8Array[]): Uint8Array =>
  concat(field(1, magic), [0x10, 1], field(3, 't'), ...fields);
const protobufState = (value: Uint8Array): Uint8Array => protobuf(field(6, value));
const emptyValue = field(1, '');
const entry = (key: string): Uint8Array => field(1, concat(field(1, key), field(2, emptyValue)));

function protobufDeep(levels: number): Uint8Array {
  // from the inside out, each level a list in a value; lengths grow, so that it is built from its end
  const heads: number[][] = [];
  let length = emptyValue.length;
  for (let level = 0; level < levels; level++) {
    const item = [0x0a, ...varint(length)];
    const list = [0x2a, ...varint(length + item.length)];
    heads.push([...list, ...item]);
    length += item.length + list.length;
  }
  return protobufState(concat(heads.toReversed().flat(), emptyValue));
}

describeFormat(
  under('protobuf', [
    ['a newer version', concat(field(1, magic), [0x10, 2], field(200, 'x')), tooNew],
    ['no version', concat(field(1, magic), field(3, 't'), field(6, emptyValue)), damaged],
    ['three hundred levels', protobufDeep(300), damaged],
    ['a hundred thousand levels', protobufDeep(100_000), damaged],
    ['a length of four thousand million', protobuf([0x32, 0xff, 0xff, 0xff, 0xff, 0x0f] as never), damaged],
    ['a length of eleven bytes', protobuf(concat([0x32], new Uint8Array(11).fill(0x80))), damaged],
    ['a key twice', protobufState(field(6, concat(entry('a'), entry('a')))), damaged],
    ['__proto__ twice', protobufState(field(6, concat(entry('__proto__'), entry('__proto__')))), damaged],
    ['two kinds of one value', protobufState(concat(emptyValue, field(7, ''))), damaged],
    ['a value without a kind', protobufState(field(5, field(1, ''))), damaged],
    ['a field that is not in the schema', protobuf(field(9, 'x')), damaged],
    ['a field of another kind', protobuf([0x30, 1] as never), damaged],
    ['a group', protobufState(concat([0x2b, 0x2c])), damaged],
    ['the state twice', protobuf(field(6, emptyValue), field(6, emptyValue)), damaged],
    ['an integer of letters', protobufState(field(8, '0x10')), damaged],
    ['an integer of 100,000 digits', protobufState(field(8, '1'.repeat(100_000))), damaged],
    ['a map with a key and no value', protobufState(field(10, field(1, emptyValue))), damaged],
    ['binary data of no type', protobufState(field(12, concat(field(1, 'Object'), field(2, 'x')))), damaged],
    ['half an element', protobufState(field(12, concat(field(1, 'Float64Array'), field(2, 'x')))), damaged],
    ['a time that is none', protobufState(concat([0x49, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f])), damaged],
    ['a text that is no UTF-8', protobufState(field(4, Uint8Array.of(0xff))), damaged],
    [
      'three million nulls',
      protobufState(field(5, Buffer.alloc(4 * 3 * 2 ** 20, '0a020a00', 'hex'))),
      ['state/value-too-large'],
    ],
    ['another checksum', protobuf(field(5, '0'.repeat(64)), field(6, emptyValue)), ['state/checksum-failed']],
    ['no state', protobuf(), damaged],
  ]),
);

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
const etf = (state: Term, version: Term = 1, more: readonly (readonly [Term, Term])[] = []): Uint8Array =>
  encodeTerm(
    tuple(atom('vivarium_state'), version, {
      type: 'map',
      entries: [
        [atom('kind'), text('t')],
        [atom('versions'), { type: 'map', entries: [] }],
        [atom('state'), state],
        ...more,
      ],
    }),
  );

describeFormat(
  under('etf', [
    ['a newer version', etf(1, 2), tooNew],
    ['a version that is none', etf(1, atom('one')), damaged],
    ['a term that is no file', encodeTerm(tuple(atom('ok'), 1)), damaged],
    ['a million levels', concat([131], Buffer.alloc(5 * million, '6c00000001', 'hex')), damaged],
    ['a million levels of tuples', concat([131], Buffer.alloc(2 * million, '6801', 'hex'), [106]), damaged],
    [
      'a key twice',
      etf({
        type: 'map',
        entries: [
          [text('a'), 1],
          [text('a'), 2],
        ],
      }),
      damaged,
    ],
    [
      'a key twice, once as an atom',
      etf({
        type: 'map',
        entries: [
          [atom('a'), 1],
          [text('a'), 2],
        ],
      }),
      damaged,
    ],
    [
      '__proto__ twice',
      etf({
        type: 'map',
        entries: [
          [text('__proto__'), 1],
          [text('__proto__'), 2],
        ],
      }),
      damaged,
    ],
    ['a number as a key', etf({ type: 'map', entries: [[1, 1]] }), damaged],
    ['a tuple', etf(tuple(1, 2)), damaged],
    ['bits', etf({ type: 'bitstring', bytes: Uint8Array.of(128), lastBits: 1 }), damaged],
    ['bytes that are no text', etf(Uint8Array.of(255)), damaged],
    ['a map that is no list of pairs', etf(tuple(atom('map'), [1])), damaged],
    ['half an element', etf(tuple(atom('binary'), text('Float64Array'), text('x'))), damaged],
    ['a time that is none', etf(tuple(atom('time'), 2 ** 53 - 1)), damaged],
    ['another key', etf(1, 1, [[atom('more'), 1]]), damaged],
    ['another checksum', etf(1, 1, [[atom('checksum'), text('0'.repeat(64))]]), ['state/checksum-failed']],
    ['a bomb', etfBomb(), ['state/value-too-large']],
    [
      'seven million lists',
      concat([131, 108, 0, 0x70, 0, 0], new Uint8Array(0x700000).fill(106), [106]),
      ['state/value-too-large'],
    ],
  ]),
);

/** Says that it is small, and is not. */
function etfBomb(): Uint8Array {
  const zeros = new Uint8Array(66 * 2 ** 20);
  return concat([131, 80, 0, 0, 0, 9], deflateSync(zeros));
}

describe('what a file is', () => {
  const limits = defaultFormatLimits;

  test('is told by its content', async () => {
    for (const format of ['msgpack', 'protobuf', 'etf'] as const) {
      const bytes = await write(format, { a: 1 });
      expect(await recogniseFile(bytes, limits)).toEqual({ format, isGzipped: false, bytes });
      expect(await recogniseFile(gzipSync(bytes), limits)).toMatchObject({ format, isGzipped: true });
    }
    const others: readonly [string, Uint8Array][] = [
      ['json', concat('{}')],
      ['json', concat([0xef, 0xbb, 0xbf], ' \n\t[')],
      ['json', gzipSync('\n{')],
      ['pickle', concat([0x80, 2])],
      ['pickle', concat([0x80, 5, 0x95])],
      ['pickle', concat('PK', [3, 4])],
      ['pickle', gzipSync(Uint8Array.of(0x80, 4))],
    ];
    for (const [format, bytes] of others) expect((await recogniseFile(bytes, limits)).format).toBe(format);
  });

  test.each([
    ['nothing', ''],
    ['text', 'text'],
    ['a number', '12'],
    ['blanks for ever', ' '.repeat(10_000) + '{'],
    ['MessagePack of others', Buffer.from('82a16101a16202', 'hex')],
    ['Protocol Buffers of others', Buffer.from('0a0568656c6c6f', 'hex')],
    ['a picture', Buffer.from('89504e470d0a1a0a', 'hex')],
    ['UTF-16', Buffer.from('fffe7b007d00', 'hex')],
  ])('%s is unknown', async (_what, content) => {
    await expect(recogniseFile(concat(content), limits)).rejects.toMatchObject({
      code: 'state/format-unknown',
      fields: { expected: ['msgpack', 'protobuf', 'etf', 'json'] },
    });
  });
});

describe('state files', () => {
  test('hold what the state was at the call', async () => {
    const state = { list: [1] };
    const writing = write('msgpack', state);
    state.list.push(2);
    expect(await read(await writing)).toEqual({ list: [1] });
  });

  test('keep kind and versions', async () => {
    for (const format of ['msgpack', 'protobuf', 'etf'] as const) {
      const bytes = await write(format, [1]);
      expect(await decodeStateFile(bytes, format)).toEqual({ kind: 'test', versions, state: [1] });
    }
  });

  test('have bounds for values, depth and bytes, on both sides', async () => {
    const tight = { ...defaultFormatLimits, maxValues: 10, maxDepth: 4, maxFileBytes: 400 };
    const save = (state: unknown): Promise<unknown> =>
      encodeStateFile({ kind: 't', versions, state }, 'etf', false, tight);
    await expect(save(Array.from({ length: 20 }))).rejects.toMatchObject({ code: 'state/value-too-large' });
    await expect(save('x'.repeat(500))).rejects.toMatchObject({ code: 'state/value-too-large' });
    await expect(save(new Uint8Array(500))).rejects.toMatchObject({ code: 'state/value-too-large' });
    await expect(save(deep(5))).rejects.toMatchObject({ code: 'state/not-encodable' });
    // what is shared counts each time
    let bomb: unknown = [1];
    for (let level = 0; level < 60; level++) bomb = [bomb, bomb];
    await expect(write('etf', bomb)).rejects.toMatchObject({ code: 'state/value-too-large' });
  });

  test('shared memory is refused', async () => {
    await expect(write('etf', { a: [new SharedArrayBuffer(8)] })).rejects.toMatchObject({
      code: 'state/not-encodable',
    });
  });

  test('the deepest state that can be written can be read', async () => {
    for (const format of ['msgpack', 'protobuf', 'etf'] as const) {
      let state: unknown = 1;
      for (let level = 0; level < 256; level++) state = new Map([[1, state]]);
      expect(await read(await write(format, state))).toEqual(state);
    }
  });

  test('are written and read where code from texts is forbidden', { timeout: 60_000 }, () => {
    const script = `
      const { Packr } = await import('msgpackr/pack');
      const { Unpackr } = await import('msgpackr/unpack');
      const { createFileRegistry } = await import('@bufbuild/protobuf');
      const options = { useRecords: false, moreTypes: true, mapsAsObjects: false };
      const packr = new Packr(options), unpackr = new Unpackr(options);
      const value = Array.from({ length: 50 }, (_, index) => new Map([['name', index], ['other', [1n, new Float64Array(2)]]]));
      for (let round = 0; round < 50; round++) unpackr.unpack(packr.pack(value));
      try { new Function('return 1')(); console.log('allowed'); } catch { console.log('forbidden'); }`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'forbidden\n', stderr: '' });
  });
});

// fixtures/state-file/files.py says how they were made
describe('files that others wrote', () => {
  // as text: imported as a module, `__proto__` would be a prototype
  const fixture = JSON.parse(readFileSync('fixtures/state-file/files.json', 'utf8')) as {
    readonly state: object;
    readonly protobuf: string;
    readonly msgpack: string;
  };
  const file = (more: object): object => ({
    kind: 'test',
    versions: { python: '3' },
    state: { ...fixture.state, ...more },
  });

  test("with Google's Protocol Buffers", async () => {
    const expected = file({ big: 2n ** 70n, time: new Date(86_400_000) });
    expect(await decodeStateFile(Buffer.from(fixture.protobuf, 'hex'), 'protobuf')).toEqual(expected);
  });

  test("with Python's MessagePack", async () => {
    const expected = file({ large: 2n ** 63n });
    expect(await decodeStateFile(Buffer.from(fixture.msgpack, 'hex'), 'msgpack')).toEqual(expected);
  });
});

describe('the schema of Protocol Buffers', () => {
  const proto = readFileSync('docs/state-file.proto', 'utf8').replace(/\/\/.*$/gm, '');

  /** Message, oneof or none, label, type, name and number of each field, in order. */
  function fieldsOf(source: string): string[] {
    const found: string[] = [];
    let [message, oneof] = ['', ''];
    for (const [, opened, name, closed, label = '', type, each, number] of source.matchAll(
      /(message|oneof)\s+(\w+)\s*\{|(\})|(repeated\s+)?(\w+)\s+(\w+)\s*=\s*(\d+)\s*;/g,
    )) {
      if (opened === 'message') {
        message = name as string;
        found.push(message);
      } else if (opened === 'oneof') oneof = name as string;
      else if (closed) [message, oneof] = oneof === '' ? ['', ''] : [message, ''];
      else found.push([message, oneof, label.trim(), type, each, number].join(' '));
    }
    return found;
  }

  test('in docs/state-file.proto is the one that is used', () => {
    const names: Readonly<Record<number, string>> = {
      1: 'double',
      8: 'bool',
      9: 'string',
      12: 'bytes',
      13: 'uint32',
    };
    const used = stateFileDescriptor.messageType.flatMap((message) => [
      message.name,
      ...message.field.map((each) => {
        const oneof =
          message.oneofDecl.length > 0 ? (message.oneofDecl[each.oneofIndex]?.name as string) : '';
        const type = each.type === 11 ? each.typeName.replace('.vivarium.state.v1.', '') : names[each.type];
        return [message.name, oneof, each.label === 3 ? 'repeated' : '', type, each.name, each.number].join(
          ' ',
        );
      }),
    ]);
    expect(proto).toContain(`syntax = "${stateFileDescriptor.syntax}"`);
    expect(proto).toContain(`package ${stateFileDescriptor.package};`);
    expect(fieldsOf(proto)).toEqual(used);
    expect(used.length).toBeGreaterThan(25);
  });

  test('puts the magic first', () => {
    const bytes = toBinary(stateFileMessage, create(stateFileMessage, { version: 1, magic } as never));
    expect(Buffer.from(bytes.subarray(2, 16)).toString()).toBe(magic);
  });
});
