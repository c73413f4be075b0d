/**
 * A Python annotation as data. DSPy prints annotations into prompts and reads answers by them, so the types of a
 * signature are Python's, not TypeScript's.
 */
import type { Json } from '../base/index.ts';

/** Builtin types that hold no other types. */
export type PythonScalarName = 'str' | 'int' | 'float' | 'bool' | 'bytes' | 'complex';

/** A member of `Literal[…]`. */
export type PythonLiteral = string | number | bigint | boolean | null;

export interface PythonScalarType {
  readonly kind: 'scalar';
  readonly name: PythonScalarName;
}

export interface PythonAnyType {
  readonly kind: 'any';
}

/** `NoneType`, or the constant `None` where Python keeps it as it was written (`list[None]`). */
export interface PythonNoneType {
  readonly kind: 'none';
  readonly isConstant?: true;
}

/** `list[X]`; bare `list` has no item. */
export interface PythonListType {
  readonly kind: 'list';
  readonly item?: PythonType;
}

export interface PythonSetType {
  readonly kind: 'set';
  readonly isFrozen: boolean;
  readonly item?: PythonType;
}

/** `dict[K, V]`; bare `dict` has neither. */
export interface PythonDictType {
  readonly kind: 'dict';
  readonly entry?: { readonly key: PythonType; readonly value: PythonType };
}

/** `tuple[A, B]`, or `tuple[A, ...]` when `isVariadic`; bare `tuple` has no items. */
export interface PythonTupleType {
  readonly kind: 'tuple';
  readonly items?: readonly PythonType[];
  readonly isVariadic: boolean;
}

export interface PythonLiteralType {
  readonly kind: 'literal';
  readonly values: readonly PythonLiteral[];
}

/** Flat and without duplicates, as Python makes it. `isPipe` is the `int | None` of class syntax, which prints as `UnionType`. */
export interface PythonUnionType {
  readonly kind: 'union';
  readonly members: readonly PythonType[];
  readonly isPipe?: true;
}

export interface PythonEnumType {
  readonly kind: 'enum';
  readonly name: string;
  readonly members: readonly { readonly name: string; readonly value: string | number }[];
}

/**
 * A type known by its name. `schema` is the JSON schema that the prompt prints; without it the type cannot be an output.
 * Values pass as they were read: they are not checked against the schema.
 */
export interface PythonCustomType {
  readonly kind: 'custom';
  readonly name: string;
  readonly schema?: { readonly [key: string]: Json };
  /** Printed beside the field as `Type description of …`. */
  readonly description?: string;
}

export type PythonType =
  | PythonScalarType
  | PythonAnyType
  | PythonNoneType
  | PythonListType
  | PythonSetType
  | PythonDictType
  | PythonTupleType
  | PythonLiteralType
  | PythonUnionType
  | PythonEnumType
  | PythonCustomType;

/** The type of a field that was written without one. */
export const stringType: PythonScalarType = Object.freeze({ kind: 'scalar', name: 'str' });

/** True for exactly `str`, the type whose values are never parsed. */
export function isStringType(type: PythonType): boolean {
  return type.kind === 'scalar' && type.name === 'str';
}

/** Whether the annotation admits `None`, so that a missing output becomes null instead of an error. */
export function allowsNone(type: PythonType): boolean {
  return type.kind === 'none' || (type.kind === 'union' && type.members.some(allowsNone));
}

const scalarNames: readonly string[] = ['str', 'int', 'float', 'bool', 'bytes', 'complex'];

export function isScalarName(name: string): name is PythonScalarName {
  return scalarNames.includes(name);
}

/** A `Literal` without repetitions, as Python makes it; `1` and `True` are two values. */
export function literalType(values: readonly PythonLiteral[]): PythonLiteralType {
  return { kind: 'literal', values: [...new Set(values)] };
}

/** A union as Python makes it: nested unions are opened, repetitions go, and a single member stands alone. */
export function unionType(members: readonly PythonType[]): PythonType {
  const flat = members.flatMap((member) => (member.kind === 'union' ? member.members : [noneAsType(member)]));
  const seen = new Map(flat.map((member) => [JSON.stringify(member, bigintText), member]));
  const [only, ...others] = seen.values();
  return only !== undefined && others.length === 0 ? only : { kind: 'union', members: [...seen.values()] };
}

function noneAsType(type: PythonType): PythonType {
  return type.kind === 'none' ? { kind: 'none' } : type;
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
