/** Which names the code uses as they stand, for a policy that denies some. Access that is computed is not seen: it is guidance, not a wall. */
import type { Program } from 'acorn';

/** A name where it is used, as an offset in the code. */
export interface NamedGlobal {
  readonly name: string;
  readonly at: number;
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly name?: unknown;
  readonly computed?: boolean;
  readonly object?: SyntaxNode;
  readonly property?: SyntaxNode;
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

/** Parts of a node that are names of something else than a variable, when they are not computed. */
const ownNames: Readonly<Record<string, string>> = {
  MemberExpression: 'property',
  Property: 'key',
  MethodDefinition: 'key',
  PropertyDefinition: 'key',
  LabeledStatement: 'label',
  BreakStatement: 'label',
  ContinueStatement: 'label',
  ImportSpecifier: 'imported',
  ExportSpecifier: 'exported',
};

/**
 * Every name that is used like a variable, and every `globalThis.name`, in order of the text. A variable of the code's own with the name of a
 * global counts, too.
 */
export function globalsOf(program: Program): readonly NamedGlobal[] {
  const found: NamedGlobal[] = [];
  // a list of its own, not the stack: the code may be nested as deep as the parser could follow
  const pending: unknown[] = [program];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (Array.isArray(node)) pending.push(...node.filter((item) => item !== undefined));
    else if (isNode(node)) visit(node, found, pending);
  }
  return found.toSorted((one, other) => one.at - other.at);
}

/** The name in `globalThis.name`. */
function nameOfGlobal({ type, object, property, computed }: SyntaxNode): SyntaxNode | undefined {
  const isOfGlobal =
    type === 'MemberExpression' && object?.type === 'Identifier' && object.name === 'globalThis';
  return isOfGlobal && computed !== true ? property : undefined;
}

function visit(node: SyntaxNode, found: NamedGlobal[], pending: unknown[]): void {
  const named = node.type === 'Identifier' ? node : nameOfGlobal(node);
  if (typeof named?.name === 'string') found.push({ name: named.name, at: named.start });
  const own = node.computed === true ? undefined : ownNames[node.type];
  for (const [key, part] of Object.entries(node)) {
    if (key !== own && typeof part === 'object' && part !== null) pending.push(part);
  }
}
