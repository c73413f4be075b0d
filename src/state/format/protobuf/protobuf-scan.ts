/**
 * Protocol Buffers as bytes alone: whether they are one message of the schema, each field at most as often as it may be, nothing beyond
 * an end, and nothing deeper than the bound. It builds nothing itself. https://protobuf.dev/programming-guides/encoding/
 */
import { ScalarType } from '@bufbuild/protobuf';
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import { assertKnownVersion, damaged, ValueCounter } from '../codec.ts';
import type { FormatLimits } from '../codec.ts';

interface FieldRule {
  readonly name: string;
  readonly wireType: WireType;
  /** The message that the field holds, or one of those that it holds. */
  readonly message: DescMessage | undefined;
  /** One bit for the field, or for the choice that it is one of; 0 for a field that may be there any number of times. */
  readonly place: number;
}

interface MessageRule {
  /** By number. */
  readonly fields: readonly (FieldRule | undefined)[];
  /** The places that must be taken. */
  readonly needed: number;
  /** Whether a message is a value of its own. */
  readonly isValue: boolean;
}

interface Frame {
  readonly rule: MessageRule;
  readonly end: number;
  /** The places that were taken already. */
  taken: number;
}

const wireTypes: Readonly<Partial<Record<ScalarType, WireType>>> = {
  [ScalarType.UINT32]: WireType.Varint,
  [ScalarType.BOOL]: WireType.Varint,
  [ScalarType.DOUBLE]: WireType.Bit64,
};
const oneofPlace = 1;

function toFieldRule(field: DescField): FieldRule {
  const scalar = field.fieldKind === 'scalar' ? wireTypes[field.scalar] : undefined;
  const isList = field.fieldKind === 'list';
  return {
    name: field.name,
    wireType: scalar ?? WireType.LengthDelimited,
    message: field.fieldKind === 'message' || isList ? field.message : undefined,
    place: isList ? 0 : field.oneof ? oneofPlace : 1 << field.number,
  };
}

const rules = new WeakMap<DescMessage, MessageRule>();

function ruleOf(message: DescMessage): MessageRule {
  const known = rules.get(message);
  if (known) return known;
  const fields: FieldRule[] = [];
  for (const field of message.fields) fields[field.number] = toFieldRule(field);
  const isValue = message.name === 'Value';
  const value = message.name === 'Entry' ? fields.find((field) => field?.name === 'value') : undefined;
  const rule = { fields, isValue, needed: isValue ? oneofPlace : (value?.place ?? 0) };
  rules.set(message, rule);
  return rule;
}

const maxVarintBytes = 10;

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #counter: ValueCounter;
  readonly #frames: Frame[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, limits: FormatLimits) {
    this.#bytes = bytes;
    this.#counter = new ValueCounter('protobuf', limits);
  }

  scan(message: DescMessage): void {
    this.#enter(message, this.#bytes.length);
    for (let top = this.#frames.at(-1); top; top = this.#frames.at(-1)) {
      if (this.#at === top.end) this.#leave(top);
      else this.#field(top);
    }
  }

  #enter(message: DescMessage, length: number): void {
    const rule = ruleOf(message);
    if (rule.isValue) this.#counter.add();
    this.#frames.push({ rule, end: this.#endOf(length), taken: 0 });
    this.#counter.enter(this.#frames.length);
  }

  #leave({ rule, taken }: Frame): void {
    if ((taken & rule.needed) !== rule.needed) throw damaged('protobuf', 'a kind of value');
    this.#frames.pop();
  }

  #field(frame: Frame): void {
    const tag = this.#varint();
    const field = frame.rule.fields[tag >>> 3];
    if (field?.wireType !== (tag & 7)) throw damaged('protobuf', 'fields of the schema alone');
    if ((frame.taken & field.place) !== 0) throw damaged('protobuf', 'a field at most once');
    frame.taken |= field.place;
    if (field.message) this.#enter(field.message, this.#varint());
    else this.#scalar(field);
  }

  #scalar({ name, wireType }: FieldRule): void {
    if (wireType === WireType.Varint) {
      const value = this.#varint();
      // it comes before what a later version may have added
      if (name === 'version') assertKnownVersion(value);
    } else this.#at = this.#endOf(wireType === WireType.Bit64 ? 8 : this.#varint());
  }

  #endOf(length: number): number {
    const end = this.#at + length;
    if (end > (this.#frames.at(-1)?.end ?? this.#bytes.length)) throw damaged('protobuf', 'more bytes');
    return end;
  }

  #varint(): number {
    const limit = Math.min(this.#at + maxVarintBytes, this.#frames.at(-1)?.end ?? 0);
    for (let value = 0, scale = 1; this.#at < limit; scale *= 128) {
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw damaged('protobuf', 'a number of at most ten bytes');
  }
}

/** @throws `state/format-damaged`, `state/version-too-new`, `state/value-too-large` */
export function scanProtobuf(bytes: Uint8Array, message: DescMessage, limits: FormatLimits): void {
  new Scanner(bytes, limits).scan(message);
}
