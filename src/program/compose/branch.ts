/** One of several modules, chosen for each input. */
import { CodedError } from '../../base/index.ts';
import { isModule, Module } from '../module.ts';
import type { InputOf, OutputOf } from '../module.ts';
import type { Run } from '../run.ts';
import { assertParts, invalid } from './options.ts';

export type Branches = Readonly<Record<string, Module>>;

type Intersection<Union> = (Union extends unknown ? (value: Union) => void : never) extends (
  value: infer All,
) => void
  ? All
  : never;

/** What every one of these modules takes. */
export type SharedInput<B extends Branches> = Intersection<
  { readonly [Name in keyof B]: InputOf<B[Name]> }[keyof B]
>;
/** What one of these modules gives. */
export type AnyOutput<B extends Branches> = { readonly [Name in keyof B]: OutputOf<B[Name]> }[keyof B];

/** The name of a branch, or an answer with the field `branch`, such as that of a predictor `question -> branch`. */
export type Choice<Name extends string> = Name | { readonly branch: Name };

/** A function, or a module, which is then part of the program: saved, traced and optimized with it. */
export type Chooser<Input, Name extends string> =
  | ((input: Input, run: Run) => Choice<Name> | Promise<Choice<Name>>)
  | Module<Input, Choice<Name>>;

export interface BranchOptions<Otherwise extends Module = Module> {
  /** Runs when the chosen name is no branch. Default: the call fails with `program/branch-not-found`. */
  readonly otherwise?: Otherwise | undefined;
}

/** Made by {@link branch}. */
export class Branch<B extends Branches, Otherwise extends Module = never> extends Module<
  SharedInput<B>,
  AnyOutput<B> | OutputOf<Otherwise>
> {
  readonly choose: Chooser<SharedInput<B>, string>;
  readonly branches: B;
  readonly otherwise: Otherwise | undefined;

  constructor(choose: Chooser<SharedInput<B>, string>, branches: B, options: BranchOptions<Otherwise> = {}) {
    super();
    const { otherwise } = options;
    if (typeof choose !== 'function' && !isModule(choose)) {
      throw invalid('choose', typeof choose, 'a function or a module');
    }
    assertParts('branches', Object.values(branches), isModule);
    if (otherwise !== undefined) assertParts('otherwise', [otherwise], isModule);
    this.choose = choose;
    this.branches = { ...branches };
    this.otherwise = otherwise;
  }

  /** @throws `program/branch-not-found` naming what exists, and what the chooser and the branch throw */
  override async forward(input: SharedInput<B>, run: Run): Promise<AnyOutput<B> | OutputOf<Otherwise>> {
    const { choose, branches, otherwise } = this;
    const choice: unknown = isModule(choose)
      ? await choose.call(input as never)
      : await (choose as Extract<typeof choose, (...all: never[]) => unknown>)(input, run);
    const name = nameOf(choice);
    const found = name !== undefined && Object.hasOwn(branches, name) ? branches[name] : otherwise;
    if (found) return (await found.call(input as never)) as AnyOutput<B> | OutputOf<Otherwise>;
    throw notFound(name, Object.keys(branches));
  }
}

/**
 * A module that asks `choose` for a name and runs the branch of that name. The branches are called `branches['name']`; the
 * others `otherwise` and, when it is a module, `choose`.
 * @throws `program/composition-invalid` without branches, or for one that is no module
 */
export function branch<const B extends Branches>(
  choose: Chooser<SharedInput<B>, keyof B & string>,
  branches: B,
): Branch<B>;
export function branch<const B extends Branches, Otherwise extends Module>(
  choose: Chooser<SharedInput<B>, string>,
  branches: B,
  options: BranchOptions<Otherwise>,
): Branch<B, Otherwise>;
export function branch<B extends Branches, Otherwise extends Module>(
  choose: Chooser<SharedInput<B>, string>,
  branches: B,
  options?: BranchOptions<Otherwise>,
): Branch<B, Otherwise> {
  return new Branch(choose, branches, options);
}

function nameOf(choice: unknown): string | undefined {
  const name = typeof choice === 'object' && choice !== null && 'branch' in choice ? choice.branch : choice;
  return typeof name === 'string' ? name : undefined;
}

function notFound(name: string | undefined, existing: readonly string[]): CodedError {
  const shown = name === undefined ? 'something that is no name' : `'${name.slice(0, 200)}'`;
  return new CodedError(
    'program/branch-not-found',
    `the chooser gave ${shown}; there are: ${existing.join(', ')}`,
    { fields: { name: name?.slice(0, 200) ?? null, existing: [...existing] } },
  );
}
