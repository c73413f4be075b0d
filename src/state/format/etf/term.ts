/** Terms of Erlang as data: what its external format can say that is data. */

/** An atom is no text: `true` is one, and so is every key that a record of Erlang would have. */
export interface Atom {
  readonly type: 'atom';
  readonly name: string;
}

export interface Tuple {
  readonly type: 'tuple';
  readonly items: readonly Term[];
}

/** Erlang tells 1.0 from 1. */
export interface Float {
  readonly type: 'float';
  readonly value: number;
}

/** Entries in the order of the file. */
export interface TermMap {
  readonly type: 'map';
  readonly entries: readonly (readonly [key: Term, value: Term])[];
}

/** Bits that are no whole number of bytes: the last byte holds only its `lastBits` highest. */
export interface Bitstring {
  readonly type: 'bitstring';
  readonly bytes: Uint8Array;
  readonly lastBits: number;
}

/**
 * A number is an integer within ±(2^53 - 1), a bigint one beyond, bytes are a binary, an array is a proper list.
 * A text of Erlang's kind is a list of its characters.
 */
export type Term =
  | number
  | bigint
  | Uint8Array
  | readonly Term[]
  | Atom
  | Tuple
  | Float
  | TermMap
  | Bitstring;

export function atom(name: string): Atom {
  return { type: 'atom', name };
}

export function tuple(...items: readonly Term[]): Tuple {
  return { type: 'tuple', items };
}

/** The first byte of every term. */
export const termVersion = 131;

/** What a byte in the format begins. https://www.erlang.org/doc/apps/erts/erl_ext_dist.html */
export const tag = {
  newFloat: 70,
  bitBinary: 77,
  compressed: 80,
  smallInteger: 97,
  integer: 98,
  float: 99,
  atom: 100,
  smallTuple: 104,
  largeTuple: 105,
  nil: 106,
  string: 107,
  list: 108,
  binary: 109,
  smallBig: 110,
  largeBig: 111,
  smallAtom: 115,
  map: 116,
  atomUtf8: 118,
  smallAtomUtf8: 119,
} as const;
