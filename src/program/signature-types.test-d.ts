import { parseSignature } from './parse-signature.ts';
import type { InputsOf, OutputsOf, ValueOf } from './signature-types.ts';
import type { Signature } from './signature.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | undefined {
  return undefined;
}

type Question = 'question, k: int -> answer: list[str], ok: bool';
assertType<Equal<InputsOf<Question>, { question: string; k: number }>>();
assertType<Equal<OutputsOf<Question>, { answer: string[]; ok: boolean }>>();

assertType<Equal<InputsOf<' a ,\n b : float=1 -> c'>, { a: string; b: number }>>();
assertType<Equal<OutputsOf<'a->'>, {}>>();
assertType<Equal<InputsOf<'->a'>, {}>>();
assertType<Equal<OutputsOf<'a -> b: None'>, { b: string }>>();
assertType<Equal<InputsOf<string>, Record<string, unknown>>>();

assertType<Equal<ValueOf<'dict[str, int]'>, Record<string, number>>>();
assertType<Equal<ValueOf<'dict[str, list[tuple[int, str]]]'>, Record<string, [number, string][]>>>();
assertType<Equal<ValueOf<'tuple[int, ...]'>, number[]>>();
assertType<Equal<ValueOf<'set[int]'>, number[]>>();
assertType<Equal<ValueOf<'Optional[int]'>, number | null>>();
assertType<Equal<ValueOf<'Union[int, str, None]'>, number | string | null>>();
assertType<Equal<ValueOf<'int | None'>, number | null>>();
assertType<Equal<ValueOf<'list[int | str]'>, (number | string)[]>>();
assertType<Equal<ValueOf<'Literal[\'a\', "b", 1, True, None]'>, 'a' | 'b' | 1 | true | null>>();
assertType<Equal<ValueOf<'Any'>, unknown>>();
assertType<Equal<ValueOf<'Person'>, unknown>>();
assertType<Equal<ValueOf<'list[Person]'>, unknown[]>>();
assertType<Equal<ValueOf<'list'>, unknown[]>>();

const signature = parseSignature('question -> answer: int');
assertType<Equal<typeof signature, Signature<{ question: string }, { answer: number }>>>();
const reasoned = signature.prepend('reasoning', { kind: 'output' });
assertType<Equal<NonNullable<(typeof reasoned)['outputsType']>, { reasoning: string; answer: number }>>();
const wider = signature.append('rows', { kind: 'input', type: 'list[dict[str, float]]' });
assertType<
  Equal<NonNullable<(typeof wider)['inputsType']>, { question: string; rows: Record<string, number>[] }>
>();
const narrower = wider.delete('question');
assertType<Equal<keyof NonNullable<(typeof narrower)['inputsType']>, 'rows'>>();
// any signature goes where fields are not known
const general: Signature = signature;
void general;
