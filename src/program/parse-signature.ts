/**
 * From a text such as `question, k: int -> answer: list[str]` to a signature. Each side of the arrow is read as the
 * parameters of a Python function, of which only the ordinary ones become fields, as in DSPy.
 */
import { CodedError } from '../base/index.ts';
import { createField } from './field.ts';
import type { Field, FieldKind } from './field.ts';
import { TypeReader } from './parse-python-type.ts';
import type { PythonTypeOptions } from './parse-python-type.ts';
import { readPythonTokens, signatureInvalid } from './python-tokens.ts';
import type { PythonToken } from './python-tokens.ts';
import type { InputsOf, OutputsOf } from './signature-types.ts';
import { Signature } from './signature.ts';

export type SignatureOptions = PythonTypeOptions;

/** The longest text of a signature, in UTF-16 units; longer is refused before it is read. */
export const maxSignatureLength = 20_000;

/**
 * Without instructions a sentence that names the fields is made.
 * @throws `program/signature-invalid` with the place and what was expected there.
 */
export function parseSignature<const S extends string>(
  text: S,
  instructions?: string,
  options: SignatureOptions = {},
): Signature<InputsOf<S>, OutputsOf<S>> {
  if (text.length > maxSignatureLength) throw tooLong(text);
  const arrow = text.indexOf('->');
  if (arrow < 0 || text.includes('->', arrow + 2)) throw arrowMissing(text);
  const inputs = readFields({ text, from: 0, to: arrow, kind: 'input', options });
  const outputs = readFields({ text, from: arrow + 2, to: text.length, kind: 'output', options });
  return new Signature({ instructions, fields: [...inputs, ...outputs] });
}

interface Side {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly kind: FieldKind;
  readonly options: SignatureOptions;
}

function readFields(side: Side): Field[] {
  const tokens = readPythonTokens(side.text, side.from, side.to);
  const parameters = new ParameterReader(side, new TypeReader(side.text, tokens, side.options));
  return parameters.readAll();
}

/** Words of Python that name nothing. */
const keywords: ReadonlySet<string> = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
);

/** Names under which DSPy's class could not hold a field. */
const reservedNames: ReadonlySet<string> = new Set(
  (
    'signature fields instructions input_fields output_fields model_config model_dump model_dump_json ' +
    'model_validate model_validate_json model_validate_strings'
  ).split(' '),
);

/** `keyword` begins at the star: what follows is no ordinary parameter. */
type ParameterStage = 'ordinary' | 'keyword' | 'closed';

class ParameterReader {
  private readonly side: Side;
  private readonly types: TypeReader;
  private fields = new Map<string, Field>();
  private stage: ParameterStage = 'ordinary';
  private hasDefault = false;
  private count = 0;

  constructor(side: Side, types: TypeReader) {
    this.side = side;
    this.types = types;
  }

  readAll(): Field[] {
    while (!this.types.isEnd()) {
      this.readParameter();
      this.count += 1;
      if (!this.types.isEnd() && !this.types.accept(',')) throw this.types.invalid('a comma');
    }
    for (const field of this.fields.values()) this.assertName(field.name);
    return [...this.fields.values()];
  }

  private readParameter(): void {
    if (this.stage === 'closed') throw this.types.invalid('nothing after `**`');
    if (this.types.accept('/')) this.endPositionalOnly();
    else if (this.types.accept('**')) this.readDoubleStar();
    else if (this.types.accept('*')) this.readStar();
    else this.readField();
  }

  /** What stands before a slash is positional-only: not a field. */
  private endPositionalOnly(): void {
    if (this.count === 0 || this.stage !== 'ordinary') throw this.types.invalid('a name before `/`');
    this.fields = new Map();
  }

  private readDoubleStar(): void {
    this.readName();
    this.readAnnotation();
    this.stage = 'closed';
  }

  private readStar(): void {
    if (this.stage !== 'ordinary') throw this.types.invalid('one `*` only');
    this.stage = 'keyword';
    if (this.types.current.kind === 'name') {
      this.readName();
      this.readAnnotation();
    } else if (!this.types.isOperator(',')) throw this.types.invalid('a name or a comma after `*`');
  }

  private readField(): void {
    const name = this.readName();
    const type = this.readAnnotation();
    this.readDefault();
    if (this.stage !== 'ordinary') return;
    const field = createField(name, { kind: this.side.kind, ...(type === undefined ? {} : { type }) });
    const isTypeUndefined = this.side.kind === 'input' && type === undefined;
    this.fields.set(name, Object.freeze({ ...field, isTypeUndefined }));
  }

  private readName(): string {
    const { kind, text } = this.types.current;
    if (kind !== 'name' || keywords.has(text)) throw this.types.invalid('a field name');
    this.types.advance();
    return text;
  }

  private readAnnotation(): ReturnType<TypeReader['readFieldType']> | undefined {
    return this.types.accept(':') ? this.types.readFieldType() : undefined;
  }

  /** A default is read over: DSPy keeps none in a string signature. */
  private readDefault(): void {
    const isDefault = this.types.accept('=');
    if (!isDefault && this.hasDefault && this.stage === 'ordinary')
      throw this.types.invalid('a default value, because an earlier field has one');
    this.hasDefault ||= isDefault;
    if (isDefault) this.skipDefault();
  }

  private skipDefault(): void {
    if (this.isDefaultEnd(0)) throw this.types.invalid('a default value');
    let depth = 0;
    while (!this.isDefaultEnd(depth)) {
      depth += depthChange(this.types.advance());
      if (depth < 0) throw this.types.invalid('a closed bracket');
    }
  }

  private isDefaultEnd(depth: number): boolean {
    return this.types.isEnd() || (depth === 0 && this.types.isOperator(','));
  }

  private assertName(name: string): void {
    if (!name.startsWith('_') && !reservedNames.has(name)) return;
    const expected = name.startsWith('_')
      ? 'a name without a leading underscore'
      : 'a name that DSPy does not use itself';
    throw new CodedError(
      'program/signature-invalid',
      `A field cannot be called '${name}': expected ${expected}.`,
      {
        fields: { signature: this.side.text.slice(0, 200), field: name, expected },
      },
    );
  }
}

function depthChange(token: PythonToken): number {
  if (token.kind !== 'operator') return 0;
  return '([{'.includes(token.text) ? 1 : ')]}'.includes(token.text) ? -1 : 0;
}

function arrowMissing(text: string): CodedError {
  return new CodedError(
    'program/signature-invalid',
    `Invalid signature format: '${text}', must contain exactly one '->'.`,
    { fields: { signature: text.slice(0, 200), position: text.indexOf('->'), expected: "exactly one '->'" } },
  );
}

function tooLong(text: string): CodedError {
  return signatureInvalid(
    text.slice(0, 200),
    200,
    `at most ${maxSignatureLength} characters, not ${text.length},`,
  );
}
