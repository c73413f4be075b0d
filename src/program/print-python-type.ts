/** Annotations as text: the name that prompts show, and the source that parses back. */
import { representText } from './python-text.ts';
import type { PythonLiteral, PythonType } from './python-type.ts';

/** The name in prompts: `list[str]`, `Union[int, NoneType]`, `tuple[int, Ellipsis]`, `Literal['a', 'b']`. */
export function typeNameOf(type: PythonType): string {
  switch (type.kind) {
    case 'scalar':
    case 'enum':
    case 'custom':
      return type.name;
    case 'any':
      return 'Any';
    case 'none':
      return type.isConstant === true ? 'None' : 'NoneType';
    case 'literal':
      return `Literal[${type.values.map(quoteLiteral).join(', ')}]`;
    case 'union':
      return `${type.isPipe === true ? 'UnionType' : 'Union'}[${type.members.map(typeNameOf).join(', ')}]`;
    case 'list':
    case 'set':
    case 'dict':
    case 'tuple':
      return containerText(type, typeNameOf, 'Ellipsis');
  }
}

/** The annotation as Python source. Enums and custom types print as their name. */
export function printPythonType(type: PythonType): string {
  switch (type.kind) {
    case 'none':
      return type.isConstant === true ? 'None' : 'NoneType';
    case 'literal':
      return `Literal[${type.values.map(representLiteral).join(', ')}]`;
    case 'union':
      return `Union[${type.members.map(printPythonType).join(', ')}]`;
    case 'list':
    case 'set':
    case 'dict':
      return containerText(type, printPythonType, '...');
    case 'tuple':
      return type.items?.length === 0 ? 'tuple[()]' : containerText(type, printPythonType, '...');
    case 'scalar':
    case 'any':
    case 'enum':
    case 'custom':
      return typeNameOf(type);
  }
}

/** `str` of a member of `Literal`. */
export function literalText(value: PythonLiteral): string {
  if (value === null) return 'None';
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}

/** `repr` of a member of `Literal`. */
export function representLiteral(value: PythonLiteral): string {
  return typeof value === 'string' ? representText(value) : literalText(value);
}

type ContainerType = Extract<PythonType, { kind: 'list' | 'set' | 'dict' | 'tuple' }>;

function containerText(type: ContainerType, print: (type: PythonType) => string, ellipsis: string): string {
  const name = type.kind === 'set' && type.isFrozen ? 'frozenset' : type.kind;
  const parts = argumentsOf(type)?.map(print);
  if (parts === undefined) return name;
  if (type.kind === 'tuple' && type.isVariadic) parts.push(ellipsis);
  return `${name}[${parts.join(', ')}]`;
}

function argumentsOf(type: ContainerType): readonly PythonType[] | undefined {
  if (type.kind === 'dict') return type.entry === undefined ? undefined : [type.entry.key, type.entry.value];
  if (type.kind === 'tuple') return type.items;
  return type.item === undefined ? undefined : [type.item];
}

/** Double quotes only for a text that holds single ones alone; nothing but single quotes is escaped, and that only beside double ones. */
function quoteLiteral(value: PythonLiteral): string {
  if (typeof value !== 'string') return literalText(value);
  if (!value.includes("'")) return `'${value}'`;
  return value.includes('"') ? `'${value.replaceAll("'", "\\'")}'` : `"${value}"`;
}
