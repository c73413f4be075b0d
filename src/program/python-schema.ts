/** The JSON schema of a Python annotation as pydantic writes it and DSPy prints it: `type` first, then keys in order. */
import { CodedError } from '../base/index.ts';
import type { Json, JsonObject } from '../base/index.ts';
import { printJson } from './python-print.ts';
import { toPythonValue } from './python-value.ts';
import type {
  PythonCustomType,
  PythonDictType,
  PythonEnumType,
  PythonLiteral,
  PythonScalarName,
  PythonTupleType,
  PythonType,
} from './python-type.ts';

/**
 * The text behind `must adhere to the JSON schema: `.
 * @throws `program/type-unsupported` for a type without a schema.
 */
export function printSchema(type: PythonType): string {
  const definitions: Record<string, JsonObject> = {};
  const schema = isNamed(type) ? ownSchema(type) : schemaOf(type, definitions);
  const { $defs, ...rest } = schema;
  const all = { ...definitions, ...(isObject($defs) ? $defs : {}) };
  return printJson(toPythonValue(typeFirst(Object.keys(all).length === 0 ? rest : { ...rest, $defs: all })));
}

const scalarSchemas: Readonly<Record<PythonScalarName, JsonObject>> = {
  str: { type: 'string' },
  int: { type: 'integer' },
  float: { type: 'number' },
  bool: { type: 'boolean' },
  bytes: { type: 'string', format: 'binary' },
  complex: { type: 'string' },
};

function schemaOf(type: PythonType, definitions: Record<string, JsonObject>): JsonObject {
  switch (type.kind) {
    case 'scalar':
      return scalarSchemas[type.name];
    case 'any':
      return {};
    case 'none':
      return { type: 'null' };
    case 'list':
      return { type: 'array', items: itemSchema(type.item, definitions) };
    case 'set':
      return { type: 'array', items: itemSchema(type.item, definitions), uniqueItems: true };
    case 'dict':
      return dictSchema(type, definitions);
    case 'tuple':
      return tupleSchema(type, definitions);
    case 'literal':
      return literalSchema(type.values);
    case 'union':
      return { anyOf: unionMembers(type.members).map((member) => schemaOf(member, definitions)) };
    case 'enum':
    case 'custom':
      return reference(type, definitions);
  }
}

/** Pydantic moves `None` behind the other members. */
function unionMembers(members: readonly PythonType[]): PythonType[] {
  return [
    ...members.filter((member) => member.kind !== 'none'),
    ...members.filter((member) => member.kind === 'none'),
  ];
}

function itemSchema(item: PythonType | undefined, definitions: Record<string, JsonObject>): JsonObject {
  return item === undefined ? {} : schemaOf(item, definitions);
}

function dictSchema(type: PythonDictType, definitions: Record<string, JsonObject>): JsonObject {
  if (type.entry === undefined) return { type: 'object', additionalProperties: true };
  const { key, value } = type.entry;
  const schema = {
    type: 'object',
    additionalProperties: value.kind === 'any' ? true : schemaOf(value, definitions),
  };
  // a key is text in JSON, so its schema says only what narrows text
  const names = Object.entries(schemaOf(key, definitions)).filter(([word]) =>
    ['enum', 'format', '$ref', 'const'].includes(word),
  );
  return names.length === 0 ? schema : { ...schema, propertyNames: Object.fromEntries(names) };
}

function tupleSchema(type: PythonTupleType, definitions: Record<string, JsonObject>): JsonObject {
  if (type.items === undefined) return { type: 'array', items: {} };
  if (type.isVariadic) return { type: 'array', items: itemSchema(type.items[0], definitions) };
  const length = { maxItems: type.items.length, minItems: type.items.length };
  if (type.items.length === 0) return { type: 'array', ...length };
  return { type: 'array', ...length, prefixItems: type.items.map((item) => schemaOf(item, definitions)) };
}

function literalSchema(values: readonly PythonLiteral[]): JsonObject {
  const kinds = new Set(values.map(jsonTypeOf));
  const [kind] = kinds;
  const shared = kinds.size === 1 && kind !== undefined ? { type: kind } : {};
  const plain = values.map((value) => (typeof value === 'bigint' ? Number(value) : value));
  return plain.length === 1 ? { ...shared, const: plain[0] as Json } : { ...shared, enum: plain };
}

function jsonTypeOf(value: PythonLiteral): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'string';
  return typeof value === 'boolean' ? 'boolean' : 'integer';
}

function isNamed(type: PythonType): type is PythonEnumType | PythonCustomType {
  return type.kind === 'enum' || type.kind === 'custom';
}

function reference(
  type: PythonEnumType | PythonCustomType,
  definitions: Record<string, JsonObject>,
): JsonObject {
  const { $defs, ...schema } = ownSchema(type);
  Object.assign(definitions, isObject($defs) ? $defs : {}, { [type.name]: schema });
  return { $ref: `#/$defs/${type.name}` };
}

function ownSchema(type: PythonEnumType | PythonCustomType): JsonObject {
  if (type.kind === 'custom') return type.schema ?? refuse(type.name);
  const values = type.members.map((member) => member.value);
  const kinds = new Set(values.map(jsonTypeOf));
  const [kind] = kinds;
  return {
    ...(kinds.size === 1 && kind !== undefined ? { type: kind } : {}),
    enum: values,
    title: type.name,
  };
}

/** Every object with `type` first and its other keys sorted, all the way down. */
function typeFirst(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(typeFirst);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).toSorted(byTypeThenCodePoint);
  return Object.fromEntries(keys.map((key) => [key, typeFirst(value[key] as Json)]));
}

function byTypeThenCodePoint(one: string, other: string): number {
  if (one === other) return 0;
  if (one === 'type' || other === 'type') return one === 'type' ? -1 : 1;
  return one < other ? -1 : 1;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(name: string): never {
  throw new CodedError(
    'program/type-unsupported',
    `The type ${name} has no JSON schema, so it cannot be an output.`,
    {
      fields: { type: name, expected: 'a type with a JSON schema' },
    },
  );
}
