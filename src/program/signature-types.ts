/**
 * The TypeScript types of a string signature, read from its text: `InputsOf<'question, k: int -> answer: list[str]'>`
 * is `{ question: string; k: number }`. Custom types are `unknown`. Literal texts that hold brackets or quotes are
 * beyond it: such a field is `unknown`.
 */

type White = ' ' | '\n' | '\t' | '\r';
type Trim<S extends string> = S extends `${White}${infer Rest}`
  ? Trim<Rest>
  : S extends `${infer Rest}${White}`
    ? Trim<Rest>
    : S;

/** The opening brackets of a text, one tuple member each. */
type Opens<S extends string, Found extends unknown[] = []> = S extends `${string}[${infer Rest}`
  ? Opens<Rest, [...Found, 0]>
  : Found;
type Closes<S extends string, Found extends unknown[] = []> = S extends `${string}]${infer Rest}`
  ? Closes<Rest, [...Found, 0]>
  : Found;
type IsBalanced<S extends string> = Opens<S>['length'] extends Closes<S>['length'] ? true : false;

/** Splits at separators that stand outside brackets. */
type Split<
  S extends string,
  Separator extends string,
  Head extends string = '',
  Parts extends string[] = [],
> = S extends `${infer Left}${Separator}${infer Rest}`
  ? IsBalanced<`${Head}${Left}`> extends true
    ? Split<Rest, Separator, '', [...Parts, Trim<`${Head}${Left}`>]>
    : Split<Rest, Separator, `${Head}${Left}${Separator}`, Parts>
  : Trim<`${Head}${S}`> extends ''
    ? Parts
    : [...Parts, Trim<`${Head}${S}`>];

type LiteralOf<S extends string> = S extends `'${infer Text}'`
  ? Text
  : S extends `"${infer Text}"`
    ? Text
    : S extends 'True'
      ? true
      : S extends 'False'
        ? false
        : S extends 'None'
          ? null
          : S extends `${infer Value extends number}`
            ? Value
            : unknown;

type LiteralsOf<Parts extends string[]> = { [Index in keyof Parts]: LiteralOf<Parts[Index]> }[number];

type TypesOf<Parts extends string[]> = { [Index in keyof Parts]: ValueOf<Parts[Index]> };

type TupleOf<Parts extends string[]> = Parts extends [infer Item extends string, '...']
  ? ValueOf<Item>[]
  : TypesOf<Parts>;

type RecordOf<Parts extends string[]> = Parts extends [string, infer Value extends string]
  ? Record<string, ValueOf<Value>>
  : unknown;

interface SimpleTypes {
  str: string;
  Text: string;
  int: number;
  float: number;
  bool: boolean;
  None: null;
  NoneType: null;
  list: unknown[];
  tuple: unknown[];
  set: unknown[];
  frozenset: unknown[];
  dict: Record<string, unknown>;
}

type GenericOf<Name extends string, Parts extends string[]> = Name extends
  | 'list'
  | 'List'
  | 'set'
  | 'Set'
  | 'frozenset'
  | 'FrozenSet'
  ? Parts extends [infer Item extends string]
    ? ValueOf<Item>[]
    : unknown
  : Name extends 'dict' | 'Dict'
    ? RecordOf<Parts>
    : Name extends 'tuple' | 'Tuple'
      ? TupleOf<Parts>
      : Name extends 'Optional'
        ? TypesOf<Parts>[number] | null
        : Name extends 'Union'
          ? TypesOf<Parts>[number]
          : Name extends 'Literal'
            ? LiteralsOf<Parts>
            : unknown;

type SingleOf<S extends string> = S extends keyof SimpleTypes
  ? SimpleTypes[S]
  : S extends `${infer Name}[${infer Inside}]`
    ? GenericOf<Trim<Name>, Split<Inside, ','>>
    : unknown;

/** The TypeScript type of values of a Python annotation: `ValueOf<'dict[str, int]'>` is `Record<string, number>`. */
export type ValueOf<S extends string> = string extends S ? unknown : TypesOfMembers<Split<S, '|'>>;

type TypesOfMembers<Parts extends string[]> = { [Index in keyof Parts]: SingleOf<Parts[Index]> }[number];

type FieldName<S extends string> = S extends `${infer Name}:${string}`
  ? Trim<Name>
  : S extends `${infer Name}=${string}`
    ? Trim<Name>
    : S;

type WithoutDefault<S extends string> = S extends `${infer Type}=${string}` ? Trim<Type> : Trim<S>;

/** A top-level `None` is `str` to DSPy. */
type FieldValue<S extends string> = S extends `${string}:${infer Type}`
  ? WithoutDefault<Type> extends 'None'
    ? string
    : ValueOf<WithoutDefault<Type>>
  : string;

type FieldsOf<Parts extends string[]> = { [Part in Parts[number] as FieldName<Part>]: FieldValue<Part> };

/** The inputs of a string signature; `Record<string, unknown>` for a text that is not known to the compiler. */
export type InputsOf<S extends string> = string extends S
  ? Record<string, unknown>
  : S extends `${infer Inputs}->${string}`
    ? FieldsOf<Split<Inputs, ','>>
    : Record<string, unknown>;

/** The outputs of a string signature; `Record<string, unknown>` for a text that is not known to the compiler. */
export type OutputsOf<S extends string> = string extends S
  ? Record<string, unknown>
  : S extends `${string}->${infer Outputs}`
    ? FieldsOf<Split<Outputs, ','>>
    : Record<string, unknown>;
