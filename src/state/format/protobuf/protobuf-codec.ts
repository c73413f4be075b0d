/** State files as Protocol Buffers, by the schema in `docs/state-file.proto`. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { damaged, fileMagic } from '../codec.ts';
import type { Envelope, FormatLimits, StateCodec, UncheckedEnvelope } from '../codec.ts';
import { makeView, objectOf, viewOf } from '../encodable.ts';
import { scanProtobuf } from './protobuf-scan.ts';
import { stateFileMessage } from './state-schema.ts';

/** A value in the shape of the message `Value`. */
interface ValueMessage {
  readonly kind: { readonly case: string; readonly value: unknown };
}

const kindOf = (name: string, value: unknown): ValueMessage => ({ kind: { case: name, value } });

function toMessage(value: unknown): ValueMessage {
  if (value === null) return kindOf('null', {});
  if (typeof value === 'boolean' || typeof value === 'number') return kindOf(typeof value, value);
  if (typeof value === 'string') return kindOf('text', value);
  if (typeof value === 'bigint') return kindOf('integer', value.toString());
  return typeof value === 'object' ? toObjectMessage(value) : kindOf('undefined', {});
}

function toObjectMessage(value: object): ValueMessage {
  if (value instanceof Date) return kindOf('time', value.getTime());
  const view = viewOf(value);
  if (view) return kindOf('binary', view);
  const list = (values: readonly unknown[]): object => ({ items: values.map(toMessage) });
  // Array.from shows holes as undefined
  if (Array.isArray(value)) return kindOf('list', list(Array.from(value as unknown[])));
  if (value instanceof Set) return kindOf('set', list([...value]));
  if (value instanceof Map) return kindOf('map', list([...value].flat(1)));
  const entries = Object.entries(value).map(([key, item]) => ({ key, value: toMessage(item) }));
  return kindOf('object', { entries });
}

interface ListMessage {
  readonly items: readonly ValueMessage[];
}

interface ObjectMessage {
  readonly entries: readonly { readonly key: string; readonly value?: ValueMessage }[];
}

/** The schema says what each case holds, and the library keeps to it. */
class Reader {
  readonly #maxDigits: number;

  constructor(limits: FormatLimits) {
    // a byte is less than two and a half decimal digits; one more for the sign
    this.#maxDigits = Math.ceil(2.5 * limits.maxBigintBytes) + 1;
  }

  read(message: ValueMessage | undefined): unknown {
    const { case: name, value } = message?.kind ?? { case: undefined, value: undefined };
    const read = name === undefined ? undefined : this.#readers[name];
    if (!read) throw damaged('protobuf', 'a kind of value');
    return read(value);
  }

  readonly #readers: Readonly<Record<string, (value: unknown) => unknown>> = {
    null: () => null,
    undefined: () => undefined,
    boolean: (value) => value,
    number: (value) => value,
    text: (value) => value,
    integer: (value) => this.#integer(value as string),
    time: (value) => dateOf(value as number),
    binary: (value) => this.#binary(value as { readonly type: string; readonly bytes: Uint8Array }),
    list: (value) => this.#items(value),
    set: (value) => new Set(this.#items(value)),
    map: (value) => this.#map(this.#items(value)),
    object: (value) => this.#object(value as ObjectMessage),
  };

  #items(list: unknown): unknown[] {
    return (list as ListMessage).items.map((item) => this.read(item));
  }

  #map(items: readonly unknown[]): unknown {
    if (items.length % 2 !== 0) throw damaged('protobuf', 'a value behind each key of a map');
    const map = new Map<unknown, unknown>();
    for (let index = 0; index < items.length; index += 2) map.set(items[index], items[index + 1]);
    return map;
  }

  #object({ entries }: ObjectMessage): unknown {
    const pairs = entries.map(({ key, value }) => [key, this.read(value)] as const);
    const object = objectOf(pairs);
    if (!object) throw damaged('protobuf', 'keys that differ');
    return object;
  }

  #integer(text: string): bigint {
    if (text.length > this.#maxDigits || !/^-?\d+$/.test(text)) {
      throw damaged('protobuf', `an integer of at most ${this.#maxDigits} characters`);
    }
    return BigInt(text);
  }

  #binary({ type, bytes }: { readonly type: string; readonly bytes: Uint8Array }): object {
    const view = makeView(type, bytes);
    if (!view) throw damaged('protobuf', 'binary data of a known type and a whole number of elements');
    return view;
  }
}

function dateOf(time: number): Date {
  const date = new Date(time);
  if (date.getTime() !== time) throw damaged('protobuf', 'a time in whole milliseconds');
  return date;
}

function encode({ version, kind, versions, checksum, state }: Envelope): Uint8Array<ArrayBuffer> {
  const message = create(stateFileMessage, {
    magic: fileMagic,
    version,
    kind,
    versions: Object.entries(versions).map(([name, each]) => ({ name, version: each })),
    checksum: checksum ?? '',
    state: toMessage(state),
  });
  return toBinary(stateFileMessage, message);
}

interface FileMessage {
  readonly version: number;
  readonly kind: string;
  readonly versions: readonly { readonly name: string; readonly version: string }[];
  readonly checksum: string;
  readonly state?: ValueMessage;
}

function decode(bytes: Uint8Array, limits: FormatLimits): UncheckedEnvelope {
  // a value is a message, its list or object is one, and an entry is one
  const messageLimits = { ...limits, maxDepth: 3 * limits.maxDepth + 3 };
  scanProtobuf(bytes, stateFileMessage, messageLimits);
  const message = fromBinary(stateFileMessage, bytes, { recursionLimit: messageLimits.maxDepth + 1 });
  const { version, kind, versions, checksum, state } = message as unknown as FileMessage;
  return {
    version,
    kind,
    versions: objectOf(versions.map((each) => [each.name, each.version])),
    checksum: checksum === '' ? undefined : checksum,
    state: new Reader(limits).read(state),
  };
}

export const protobufCodec: StateCodec = {
  format: 'protobuf',
  encode,
  decode: (bytes, limits) => Promise.resolve().then(() => decode(bytes, limits)),
};
