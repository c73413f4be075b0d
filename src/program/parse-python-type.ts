/** From the text of a Python annotation to its type. */
import { CodedError } from '../base/index.ts';
import { readPythonTokens, signatureInvalid } from './python-tokens.ts';
import type { PythonToken } from './python-tokens.ts';
import { isScalarName, literalType, stringType, unionType } from './python-type.ts';
import type { PythonLiteral, PythonType } from './python-type.ts';

export interface PythonTypeOptions {
  /** Types by the name that the text uses for them, such as `Person` or `datetime.date`. */
  readonly customTypes?: Readonly<Record<string, PythonType>>;
}

/** How deep brackets and parentheses may nest in an annotation; deeper is refused. */
export const maxTypeDepth = 32;

/** @throws `program/signature-invalid` when the text is no annotation, or names a type that is not known. */
export function parsePythonType(text: string, options: PythonTypeOptions = {}): PythonType {
  const reader = new TypeReader(text, readPythonTokens(text), options);
  const type = reader.readFieldType();
  reader.expectEnd();
  return type;
}

/** Reads annotations from a list of tokens; the signature parser goes on where it stops. */
export class TypeReader {
  private readonly text: string;
  private readonly tokens: readonly PythonToken[];
  private readonly customTypes: Readonly<Record<string, PythonType>>;
  private index = 0;
  private depth = 0;

  constructor(text: string, tokens: readonly PythonToken[], options: PythonTypeOptions) {
    this.text = text;
    this.tokens = tokens;
    this.customTypes = options.customTypes ?? {};
  }

  get current(): PythonToken {
    return this.tokens[Math.min(this.index, this.tokens.length - 1)] as PythonToken;
  }

  advance(): PythonToken {
    const token = this.current;
    this.index += 1;
    return token;
  }

  isOperator(text: string): boolean {
    return this.current.kind === 'operator' && this.current.text === text;
  }

  accept(text: string): boolean {
    const isNext = this.isOperator(text);
    if (isNext) this.index += 1;
    return isNext;
  }

  isEnd(): boolean {
    return this.current.kind === 'end';
  }

  expectEnd(): void {
    if (!this.isEnd()) throw this.invalid('the end');
  }

  invalid(expected: string): CodedError {
    return signatureInvalid(this.text, this.current.position, expected);
  }

  /** The type of a field, for which `None` is `str`. A text or a number is a value, which DSPy refuses here. */
  readFieldType(): PythonType {
    const { kind, text } = this.current;
    const type = this.readUnion();
    if (type.kind === 'none' && type.isConstant === true) return stringType;
    if (kind === 'text' || kind === 'number') {
      throw this.valueError(
        `Field types must be types, but received: ${text} of type <class '${kind === 'text' ? 'str' : 'int'}'>.`,
      );
    }
    return type;
  }

  private readUnion(): PythonType {
    let type = this.readTerm();
    while (this.accept('|')) type = unionType([type, this.readTerm()]);
    return type;
  }

  private readTerm(): PythonType {
    if (this.accept('(')) {
      const type = this.nested(() => this.readUnion());
      if (!this.accept(')')) throw this.invalid('`)`');
      return type;
    }
    if (this.current.kind === 'text' || this.current.kind === 'number') {
      this.advance();
      return { kind: 'any' };
    }
    if (this.current.kind !== 'name') throw this.invalid('a type');
    return this.readNamed();
  }

  private readNamed(): PythonType {
    let name = this.advance().text;
    while (this.isOperator('.')) {
      this.advance();
      if (this.current.kind !== 'name') throw this.invalid('a name');
      name += `.${this.advance().text}`;
    }
    if (name === 'Literal' && this.isOperator('[')) return literalType(this.readLiterals());
    const known = Object.hasOwn(this.customTypes, name) ? this.customTypes[name] : undefined;
    if (known !== undefined) return known;
    return this.isOperator('[') ? this.readGeneric(name) : this.bareType(name);
  }

  private bareType(name: string): PythonType {
    if (name === 'Text') return stringType;
    if (isScalarName(name)) return { kind: 'scalar', name };
    const type = Object.hasOwn(bareTypes, name) ? bareTypes[name] : undefined;
    if (type !== undefined) return type;
    if (Object.hasOwn(genericTypes, name))
      throw this.valueError(`Field types must be types, but received: typing.${name}.`);
    throw this.valueError(`Unknown name: ${name}`);
  }

  private readGeneric(name: string): PythonType {
    const build = Object.hasOwn(genericTypes, name) ? genericTypes[name] : undefined;
    if (build === undefined) throw this.valueError(`Unknown name: ${name}[…]`);
    this.advance();
    const items = this.nested(() => this.readArguments());
    const type = build(items);
    if (typeof type === 'string') throw this.valueError(type);
    return type;
  }

  /** The types between brackets; `...` reads as the word itself. `tuple[()]` has none. */
  private readArguments(): GenericArgument[] {
    const items: GenericArgument[] = [];
    if (this.accept('(')) {
      if (!this.accept(')')) items.push(this.closeParenthesis(this.readUnion()));
      else return this.closeBracket(items);
    }
    while (!this.isOperator(']')) {
      if (items.length > 0 && !this.accept(',')) throw this.invalid('`,` or `]`');
      if (this.isOperator(']')) break;
      items.push(this.accept('...') ? '...' : this.readUnion());
    }
    if (items.length === 0) throw this.invalid('a type');
    return this.closeBracket(items);
  }

  private closeParenthesis(type: PythonType): PythonType {
    if (!this.accept(')')) throw this.invalid('`)`');
    return type;
  }

  private closeBracket(items: GenericArgument[]): GenericArgument[] {
    if (!this.accept(']')) throw this.invalid('`]`');
    return items;
  }

  private readLiterals(): PythonLiteral[] {
    this.advance();
    const values: PythonLiteral[] = [];
    while (!this.accept(']')) {
      values.push(this.readLiteral());
      if (!this.accept(',') && !this.isOperator(']')) throw this.invalid('`,` or `]`');
    }
    if (values.length === 0) throw this.invalid('a value');
    return values;
  }

  private readLiteral(): PythonLiteral {
    const { kind, text } = this.current;
    const isConstant = kind === 'name' && Object.hasOwn(constants, text);
    const isInteger = kind === 'number' && /^(?:0[xX][0-9a-fA-F]+|(?:[1-9][\d_]*|0+))$/.test(text);
    if (kind !== 'text' && !isConstant && !isInteger)
      throw this.invalid('a text, an integer, True, False or None');
    this.advance();
    if (kind === 'text') return text;
    if (isConstant) return constants[text] as boolean | null;
    const value = BigInt(text.replaceAll('_', ''));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  private nested<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > maxTypeDepth) throw this.invalid(`at most ${maxTypeDepth} nested brackets`);
    const result = read();
    this.depth -= 1;
    return result;
  }

  private valueError(message: string): CodedError {
    const position = this.current.position;
    return new CodedError('program/signature-invalid', message, {
      fields: { signature: this.text.slice(0, 200), position, expected: 'a type that is known here' },
    });
  }
}

type GenericArgument = PythonType | '...';

const constants: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null };

const bareTypes: Readonly<Record<string, PythonType>> = {
  Any: { kind: 'any' },
  None: { kind: 'none', isConstant: true },
  NoneType: { kind: 'none' },
  list: { kind: 'list' },
  dict: { kind: 'dict' },
  tuple: { kind: 'tuple', isVariadic: false },
  set: { kind: 'set', isFrozen: false },
  frozenset: { kind: 'set', isFrozen: true },
};

/** Builds a type from what stands in its brackets, or says in words why it cannot. */
type GenericBuilder = (items: readonly GenericArgument[]) => PythonType | string;

const listOf: GenericBuilder = (items) => oneOf(items, 'list', (item) => ({ kind: 'list', item }));
const setOf: GenericBuilder = (items) =>
  oneOf(items, 'set', (item) => ({ kind: 'set', isFrozen: false, item }));
const frozenSetOf: GenericBuilder = (items) =>
  oneOf(items, 'frozenset', (item) => ({ kind: 'set', isFrozen: true, item }));

const dictOf: GenericBuilder = (items) => {
  const [key, value] = items;
  if (items.length !== 2 || key === undefined || value === undefined || key === '...' || value === '...')
    return `Expected two type arguments for <class 'dict'>, got ${items.length}`;
  return { kind: 'dict', entry: { key, value } };
};

const tupleOf: GenericBuilder = (items) => {
  const types = items.filter((item) => item !== '...');
  const isVariadic = items.length === 2 && items[1] === '...' && types.length === 1;
  if (types.length !== items.length && !isVariadic)
    return 'A tuple takes `...` only as its second and last argument';
  return { kind: 'tuple', items: types, isVariadic };
};

const optionalOf: GenericBuilder = (items) => {
  const [item] = items;
  if (items.length !== 1 || item === undefined || item === '...')
    return 'Optional must have exactly one type argument';
  return unionType([item, { kind: 'none' }]);
};

const unionOf: GenericBuilder = (items) => {
  const types = items.filter((item) => item !== '...');
  return types.length === items.length ? unionType(types) : 'Union takes types only';
};

const genericTypes: Readonly<Record<string, GenericBuilder>> = {
  list: listOf,
  List: listOf,
  set: setOf,
  Set: setOf,
  frozenset: frozenSetOf,
  FrozenSet: frozenSetOf,
  dict: dictOf,
  Dict: dictOf,
  tuple: tupleOf,
  Tuple: tupleOf,
  Optional: optionalOf,
  Union: unionOf,
};

function oneOf(
  items: readonly GenericArgument[],
  name: string,
  build: (item: PythonType) => PythonType,
): PythonType | string {
  const [item] = items;
  if (items.length !== 1 || item === undefined || item === '...')
    return `Expected one type argument for <class '${name}'>, got ${items.length}`;
  return build(item);
}
