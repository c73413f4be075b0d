/** Finds assignments to the constants that a text declares at its top: in a session they are written as variables, and would let themselves be assigned. */
import type { Pattern, Program } from 'acorn';

/** A constant's name where something is assigned to it. */
export interface AssignedConstant {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** It stands for a key, too: `({ name } = value)`. */
  readonly isShorthand: boolean;
}

interface SyntaxNode {
  readonly type: string;
  readonly kind?: unknown;
  readonly id?: Pattern | null;
  readonly param?: Pattern | null;
  readonly params?: readonly Pattern[];
  readonly left?: Pattern | SyntaxNode;
  readonly argument?: Pattern;
  readonly declaration?: SyntaxNode | null;
  readonly declarations?: readonly SyntaxNode[];
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** The names in what is declared, or assigned to. */
function namesIn(pattern: Pattern, isShorthand: boolean = false): readonly AssignedConstant[] {
  switch (pattern.type) {
    case 'Identifier':
      return [{ name: pattern.name, start: pattern.start, end: pattern.end, isShorthand }];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        property.type === 'RestElement' ? namesIn(property) : namesIn(property.value, property.shorthand),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element ? namesIn(element) : []));
    case 'AssignmentPattern':
      return namesIn(pattern.left, isShorthand);
    case 'RestElement':
      return namesIn(pattern.argument);
    case 'MemberExpression':
      return [];
  }
}

function constantsOf({ body }: Program): ReadonlySet<string> {
  const names = new Set<string>();
  for (const statement of body as readonly SyntaxNode[]) {
    const declared = statement.declaration ?? statement;
    if (declared.type !== 'VariableDeclaration' || declared.kind !== 'const') continue;
    for (const { id } of declared.declarations ?? [])
      if (id) for (const { name } of namesIn(id)) names.add(name);
  }
  return names;
}

function declaredBy({ type, id, param, params = [] }: SyntaxNode): readonly Pattern[] {
  const isDeclaring = type === 'VariableDeclarator' || /^(?:Function|Class)/u.test(type);
  return [isDeclaring ? id : undefined, type === 'CatchClause' ? param : undefined, ...params].filter(
    (pattern) => pattern !== undefined && pattern !== null,
  );
}

function assignedBy({ type, left, argument }: SyntaxNode): Pattern | undefined {
  if (type === 'UpdateExpression') return argument;
  const isAssigning = /^(?:AssignmentExpression|ForInStatement|ForOfStatement)$/u.test(type);
  return isAssigning && left?.type !== 'VariableDeclaration' ? (left as Pattern) : undefined;
}

/** A name that is declared a second time, inside of a function for instance, is left out: which one is meant is not looked into. */
export function assignedConstants(program: Program): readonly AssignedConstant[] {
  const constants = constantsOf(program);
  if (constants.size === 0) return [];
  const assigned: AssignedConstant[] = [];
  const counts = new Map<string, number>();
  // a list of its own, not the stack: the code may be nested as deep as the parser could follow
  const pending: unknown[] = [program.body];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (isNode(node)) {
      for (const { name } of declaredBy(node).flatMap((pattern) => namesIn(pattern)))
        counts.set(name, (counts.get(name) ?? 0) + 1);
      const target = assignedBy(node);
      if (target) assigned.push(...namesIn(target).filter(({ name }) => constants.has(name)));
    }
    for (const part of Object.values(node as object))
      if (typeof part === 'object' && part !== null) pending.push(part);
  }
  return assigned
    .filter(({ name }) => counts.get(name) === 1)
    .toSorted((one, other) => one.start - other.start);
}
