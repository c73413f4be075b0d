/** Reads a guest's code before it runs: what it imports, whether it ends with an expression, and how it must be written to be run twice. */
import { parse, parseExpressionAt } from 'acorn';
import type {
  ClassDeclaration,
  ExportSpecifier,
  Expression,
  ImportDeclaration,
  ModuleDeclaration,
  Program,
  Statement,
  VariableDeclaration,
} from 'acorn';
import { Edits } from './edits.ts';
import { assignedConstants } from './constants.ts';
import { globalsOf } from './named-globals.ts';

/** A place in the code as the caller wrote it; both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The code cannot be compiled. */
export interface ScriptFault {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** A name in the text of the code. */
export interface NamedPlace extends Place {
  readonly name: string;
}

/** A module that the code names in its text. */
export type NamedModule = NamedPlace;

/** What a text names, for a policy that denies some of it. */
export interface NamesInText {
  readonly modules: readonly NamedModule[];
  /** Names that the text uses as they stand. Read when asked for: most policies deny none. */
  readonly globals: () => readonly NamedPlace[];
}

export interface Script extends NamesInText {
  /** Run as a script that may await. */
  readonly code: string;
  /** A module that imports what the code imports, and exports it under the same names; `undefined` when there is nothing to import. */
  readonly importing: string | undefined;
  readonly bindings: readonly string[];
  /** The last statement is an expression, whose value is the run's. */
  readonly hasValue: boolean;
  /** From a place in `code` to the caller's. */
  readonly toOriginal: (place: Place) => Place;
}

/** Assigning to one of its properties throws; see in-guest/harness.ts. */
const constantsName = "globalThis[Symbol.for('vivarium.constants')]";

type Declared = Statement | ModuleDeclaration;

const options = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true,
  allowHashBang: true,
} as const;

/**
 * Never throws: what cannot be read is a fault.
 * @param isSession later runs may declare again what this one declares
 */
export function readScript(source: string, isSession: boolean = true): Script | ScriptFault {
  const refusal = refuseCharacters(source);
  if (refusal) return refusal;
  try {
    const object = readObject(source);
    if (object) return object;
    const program = parse(source, options);
    return write(source, program, rewriteProgram(source, program, isSession));
  } catch (error) {
    return faultOf(error);
  }
}

/** Why a module cannot be compiled, or `undefined`. */
export function faultOfModule(source: string): ScriptFault | undefined {
  try {
    parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
    return undefined;
  } catch (error) {
    return faultOf(error);
  }
}

/** Of a module; nothing of one that cannot be compiled. */
export function namesInModule(source: string): NamesInText {
  try {
    return namesIn(source, parse(source, { ecmaVersion: 'latest', sourceType: 'module' }));
  } catch {
    return { modules: [], globals: () => [] };
  }
}

function namesIn(source: string, program: Program): NamesInText {
  return {
    modules: modulesOf(source, program),
    globals: () => globalsOf(program).map(({ name, at }) => ({ name, ...placeOf(source, at) })),
  };
}

/** Something that a module's text asks another one for. */
export interface AskedName {
  /** The other one, as the text names it. */
  readonly from: string;
  readonly name: string;
  /** The name under which it is handed on. */
  readonly exported?: string;
}

/** The first place in a module's text where it asks for what is looked for; `undefined` where it does not. */
export function placeOfAsked(source: string, isIt: (asked: AskedName) => boolean): Place | undefined {
  let program: Program;
  try {
    program = parse(source, { ecmaVersion: 'latest', sourceType: 'module' });
  } catch {
    return undefined;
  }
  for (const node of program.body) {
    const isAsking = node.type === 'ImportDeclaration' || node.type === 'ExportNamedDeclaration';
    if (!isAsking || !node.source) continue;
    const from = String(node.source.value);
    const found = node.specifiers.find((specifier) => isIt({ from, ...askedName(specifier) }));
    if (found) return placeOf(source, found.start);
  }
  return undefined;
}

type Specifier = ImportDeclaration['specifiers'][number] | ExportSpecifier;

function askedName(specifier: Specifier): Omit<AskedName, 'from'> {
  switch (specifier.type) {
    case 'ImportNamespaceSpecifier':
      return { name: '*' };
    case 'ImportDefaultSpecifier':
      return { name: 'default' };
    case 'ImportSpecifier':
      return { name: textOf(specifier.imported) };
    case 'ExportSpecifier':
      return { name: textOf(specifier.local), exported: textOf(specifier.exported) };
  }
}

const textOf = (name: ExportSpecifier['local']): string =>
  name.type === 'Identifier' ? name.name : String(name.value);

export function isFault(read: object): read is ScriptFault {
  return 'message' in read;
}

function refuseCharacters(source: string): ScriptFault | undefined {
  const at = source.search(/\0|\p{Surrogate}/u);
  if (at === -1) return undefined;
  const before = source.slice(0, at).split('\n');
  const message =
    source[at] === '\0'
      ? 'source code cannot contain null characters'
      : 'the code has half of a surrogate pair, which is not a character';
  return { message, line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

function faultOf(error: unknown): ScriptFault {
  if (error instanceof RangeError) {
    return { message: 'the code is nested too deep to compile', line: null, column: null };
  }
  const { message, loc } = error as { message?: string; loc?: { line: number; column: number } };
  const words = String(message).replace(/ \(\d+:\d+\)$/u, '');
  return { message: words, line: loc?.line ?? null, column: loc ? loc.column + 1 : null };
}

/** Code that is nothing but `{…}` is meant as an object, unless it is none. */
function readObject(source: string): Script | undefined {
  const text = source.trimEnd().replace(/;$/u, '');
  if (!/^\s*\{/u.test(text)) return undefined;
  let end: number;
  try {
    const found: Expression = parseExpressionAt(text, text.search(/\S/u), options);
    if (found.type !== 'ObjectExpression') return undefined;
    ({ end } = found);
  } catch {
    return undefined;
  }
  if (text.slice(end).trim() !== '') return undefined;
  const edits = new Edits(source);
  edits.replace(0, 0, '(');
  edits.replace(text.length, text.length, ')');
  return write(source, parse(`(${text})`, options), { edits, imports: [], hasValue: true });
}

/** The program as it is run. */
interface Rewritten {
  readonly edits: Edits;
  readonly imports: readonly ImportDeclaration[];
  readonly hasValue: boolean;
}

function rewriteProgram(source: string, program: Program, isSession: boolean): Rewritten {
  const edits = new Edits(source);
  const imports: ImportDeclaration[] = [];
  let last: Declared | undefined;
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') {
      imports.push(statement);
      edits.blank(statement.start, statement.end);
    } else last = rewrite(statement, edits, isSession);
  }
  if (isSession) {
    for (const { name, start, end, isShorthand } of assignedConstants(program))
      edits.replace(start, end, `${isShorthand ? `${name}: ` : ''}${constantsName}.${name}`);
  }
  return { edits, imports, hasValue: last?.type === 'ExpressionStatement' };
}

function write(source: string, program: Program, { edits, imports, hasValue }: Rewritten): Script {
  const bindings = imports.flatMap((node) => node.specifiers.map(({ local }) => local.name));
  return {
    code: edits.text(),
    importing: imports.length > 0 ? writeImports(source, imports, bindings) : undefined,
    bindings,
    hasValue,
    ...namesIn(source, program),
    toOriginal: (place) => edits.toOriginal(place),
  };
}

/** Only the imports, where they stood, so that a fault in one has its place. */
function writeImports(
  source: string,
  imports: readonly ImportDeclaration[],
  names: readonly string[],
): string {
  const edits = new Edits(source);
  let end = 0;
  for (const node of imports) {
    edits.blank(end, node.start);
    ({ end } = node);
  }
  edits.blank(end, source.length);
  const exported = [...new Set(names)].join(', ');
  return `${edits.text()}\n;export { ${exported} };`;
}

/** In a session declarations become variables, so that a later run may declare them again. Answers what stands there then. */
function rewrite(statement: Declared, edits: Edits, isSession: boolean): Declared | undefined {
  const { type, start, end } = statement;
  if (isSession && type === 'VariableDeclaration') rewriteVariables(statement, edits);
  if (isSession && type === 'ClassDeclaration') rewriteClass(statement, edits);
  if (type === 'ExportNamedDeclaration') return rewriteExport(statement, edits, isSession);
  if (type === 'ExportDefaultDeclaration') edits.blank(start, statement.declaration.start);
  if (type === 'ExportAllDeclaration') edits.blank(start, end);
  return statement;
}

function rewriteVariables({ kind, start }: VariableDeclaration, edits: Edits): void {
  if (kind === 'let' || kind === 'const')
    edits.replace(start, start + kind.length, 'var'.padEnd(kind.length));
}

function rewriteClass({ start, end, id }: ClassDeclaration, edits: Edits): void {
  edits.replace(start, start, `var ${id.name} = `);
  edits.replace(end, end, ';');
}

/** Nobody imports the guest's own code: `export` says nothing here. */
function rewriteExport(
  statement: Extract<ModuleDeclaration, { type: 'ExportNamedDeclaration' }>,
  edits: Edits,
  isSession: boolean,
): Declared | undefined {
  const { declaration } = statement;
  if (!declaration) {
    edits.blank(statement.start, statement.end);
    return undefined;
  }
  edits.blank(statement.start, declaration.start);
  return rewrite(declaration, edits, isSession);
}

function placeOf(source: string, at: number): Place {
  const before = source.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** Modules that are named where they are imported: by a declaration, or as a text in `import(…)`. */
function modulesOf(source: string, program: Program): readonly NamedModule[] {
  const found: NamedModule[] = [];
  const add = (value: unknown, at: number): void => {
    if (typeof value !== 'string') return;
    found.push({ name: value, ...placeOf(source, at) });
  };
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) return node.forEach(visit);
    const {
      type,
      source: named,
      start,
    } = node as { type?: string; source?: { value?: unknown }; start: number };
    if (type !== undefined && named && /^(Import|Export)/u.test(type)) add(named.value, start);
    for (const key of Object.keys(node)) if (key !== 'parent') visit((node as Record<string, unknown>)[key]);
  };
  visit(program.body);
  return found;
}
