/** Types of a handle, inferred from the class that it stands for. */
import type { InputOf, Module, Parameter, Prediction } from '../../program/index.ts';

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

/** How many modules inside modules are named by type; deeper ones are reached by `parameter(name)`. */
type Depth = 4;
type OneLess = readonly [never, 0, 1, 2, 3];

type ItemOf<T> = T extends readonly (infer Item)[]
  ? Item
  : T extends ReadonlyMap<string, infer Item>
    ? Item
    : never;

/** Names of the fields that hold modules, with the class of each: those of lists and maps as `hops[0]`. */
type SubModuleFields<M> = {
  [
    K in keyof M & string as M[K] extends Module
      ? K
      : ItemOf<M[K]> extends Module
        ? [ItemOf<M[K]>] extends [never]
          ? never
          : `${K}[${M[K] extends readonly unknown[] ? number : string}]`
        : never
  ]-?: M[K] extends Module ? M[K] : ItemOf<M[K]>;
};

/** Where the sub-modules of a class are, such as `critic`, `critic.judge` or `hops[0]`. */
export type SubModulePath<M, D extends number = Depth> = [D] extends [never]
  ? never
  : {
      [K in keyof SubModuleFields<M> & string]:
        | K
        | `${K}.${SubModulePath<SubModuleFields<M>[K], OneLess[D]>}`;
    }[keyof SubModuleFields<M> & string];

/** As {@link SubModulePath}; any text where the class is not known. */
export type SubModulePathOf<M> = Module extends M ? string : SubModulePath<M>;

type Field<M, K extends string> = K extends keyof M
  ? M[K]
  : K extends `${infer Name}[${string}]`
    ? Name extends keyof M
      ? ItemOf<M[Name]>
      : never
    : never;

/** The class of the sub-module at a path; `Module` where the class around it is not known. */
export type SubModuleAt<M, P extends string> = Module extends M
  ? Module
  : P extends `${infer First}.${infer Rest}`
    ? SubModuleAt<Field<M, First>, Rest>
    : Field<M, P>;

/** Names of the parameters of a class and of its sub-modules, such as `limit` and `critic.limit`. */
export type ParameterPath<M, D extends number = Depth> = [D] extends [never]
  ? never
  : | ParameterNames<M>
    | {
        [K in keyof SubModuleFields<M> & string]: `${K}.${ParameterPath<SubModuleFields<M>[K], OneLess[D]>}`;
      }[keyof SubModuleFields<M> & string];

export type ParameterValue<M, P extends string> = P extends `${infer First}.${infer Rest}`
  ? ParameterValue<Field<M, First>, Rest>
  : P extends keyof M
    ? M[P] extends Parameter<infer T>
      ? T
      : never
    : never;
