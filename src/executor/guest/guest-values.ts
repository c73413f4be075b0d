/** Values as a guest written in TypeScript reads and writes them; `sandbox/value-codec.ts` is the page's side. */
import { numberArrays } from '../number-arrays.ts';
import type { GuestOutput } from './engine.ts';

/** What a variable arrives as. */
export type ReadValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | ArrayBufferView
  | readonly ReadValue[]
  | ReadonlyMap<ReadValue, ReadValue>
  | ReadonlySet<ReadValue>
  | { readonly [key: string]: ReadValue };

type Tagged = Readonly<Record<string, unknown>>;

/** Reads what the page has written, which is well formed: it checked the values itself. */
export function readValue(tree: unknown, buffers: readonly Uint8Array[]): ReadValue {
  if (typeof tree !== 'object' || tree === null) return tree as ReadValue;
  if (Array.isArray(tree)) return tree.map((item) => readValue(item, buffers));
  if (Object.hasOwn(tree, '$')) return readTagged(tree as Tagged, buffers);
  return readRecord(Object.entries(tree), buffers);
}

/** Without a prototype: a key may be called `__proto__`. */
function readRecord(
  entries: readonly (readonly [string, unknown])[],
  buffers: readonly Uint8Array[],
): Record<string, ReadValue> {
  const record = Object.create(null) as Record<string, ReadValue>;
  for (const [key, item] of entries) record[key] = readValue(item, buffers);
  return record;
}

function readTagged({ $: tag, v, b, t }: Tagged, buffers: readonly Uint8Array[]): ReadValue {
  const bytes = (): Uint8Array => buffers[b as number] as Uint8Array;
  switch (tag) {
    case 'int':
      return readInteger(v as string);
    case 'float':
      return Number(v);
    case 'date':
      return new Date(v as number);
    case 'text':
      return new TextDecoder().decode(bytes());
    case 'bytes':
      return bytes();
    case 'array':
      return new numberArrays[t as keyof typeof numberArrays](bytes().slice().buffer);
    case 'set':
      return new Set((v as readonly unknown[]).map((item) => readValue(item, buffers)));
    default:
      return readPairs(v as readonly (readonly [unknown, unknown])[], tag === 'map', buffers);
  }
}

function readInteger(hexadecimal: string): bigint {
  return hexadecimal.startsWith('-') ? -BigInt(`0x${hexadecimal.slice(1)}`) : BigInt(`0x${hexadecimal}`);
}

function readPairs(
  pairs: readonly (readonly [unknown, unknown])[],
  isMap: boolean,
  buffers: readonly Uint8Array[],
): ReadValue {
  if (!isMap && pairs.every((pair): pair is readonly [string, unknown] => typeof pair[0] === 'string')) {
    return readRecord(pairs, buffers);
  }
  return new Map(pairs.map(([key, item]) => [readValue(key, buffers), readValue(item, buffers)]));
}

/** What a guest brings back. An object with the key `$` is written with pairs. */
export type WrittenValue =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly WrittenValue[]
  | { readonly [key: string]: WrittenValue };

/** As a tree for `JSON.stringify`; bytes go through `output.keep`, which throws when they are too many. */
export function writeValue(value: WrittenValue, output: Pick<GuestOutput, 'keep'>): unknown {
  if (typeof value === 'number') return writeNumber(value);
  if (typeof value === 'bigint') {
    return { $: 'int', v: value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}` };
  }
  return typeof value === 'object' && value !== null ? writeObject(value, output) : (value ?? null);
}

function writeNumber(value: number): unknown {
  if (Number.isFinite(value)) return Object.is(value, -0) ? { $: 'float', v: '-0.0' } : value;
  return { $: 'float', v: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
}

function writeObject(value: object, output: Pick<GuestOutput, 'keep'>): unknown {
  if (value instanceof Uint8Array) return { $: 'bytes', b: output.keep(value) };
  if (Array.isArray(value)) return value.map((item: WrittenValue) => writeValue(item, output));
  const entries = Object.entries(value as Record<string, WrittenValue>);
  const written = entries.map(([key, item]) => [key, writeValue(item, output)] as const);
  return Object.hasOwn(value, '$') ? { $: 'dict', v: written } : Object.fromEntries(written);
}
