/** Types of a handle, inferred from the class that it stands for. */
import type { InputOf, Parameter, Prediction } from '../program/index.ts';

type Plain<T> = T extends Prediction<infer Fields> ? Fields : T;
/** What `forward` gives, as it crosses to the page: predictions become their plain fields. */
export type ReplyOf<M> = M extends { forward(...args: never[]): infer R } ? Plain<Awaited<R>> : never;

/** What `forward` takes; of many versions, what each of them takes. */
export type CallInput<M> = (M extends unknown ? (input: InputOf<M>) => void : never) extends (
  input: infer Input,
) => void
  ? Input
  : never;

/** Names of the class's own parameters; of many versions, those that all of them have. */
export type ParameterNames<M> = {
  [K in keyof M]-?: M[K] extends Parameter<infer _> ? (K extends string ? K : never) : never;
}[keyof M];

export type ParameterValue<M, K extends keyof M> = M[K] extends Parameter<infer T> ? T : never;
