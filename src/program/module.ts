/** A program or a part of one: fields that are parameters, predictors and sub-modules, and an async `forward`. */
import { CodedError } from '../base/index.ts';
import type { JsonObject } from '../base/index.ts';
import { inspectHistory } from '../lm/index.ts';
import type { LanguageModel, LmHistoryEntry } from '../lm/index.ts';
import { systemClock } from '../platform/index.ts';
import type { Migrations } from '../state/index.ts';
import { batchModule } from './batch.ts';
import type { BatchItem, BatchOptions, BatchResult } from './batch.ts';
import { callModule } from './call-module.ts';
import { copyModule } from './copy-module.ts';
import type { Named, SubModuleOptions } from './discover.ts';
import { modulesOf, ownParametersOf, parameterOfField, parametersOf, predictorsOf } from './discover.ts';
import type { DspyLoadOptions } from './dspy-state.ts';
import { acceptorOf, namedOf, namesOf } from './find-named.ts';
import type { SubModuleType } from './find-named.ts';
import { giveBrand, hasBrand, moduleBrand } from './kind.ts';
import { lmHistoryOf } from './lm-history.ts';
import type { ModuleChanges, ModuleState, ParameterStates } from './module-state.ts';
import { dumpModule, dumpParameters, loadModule, loadParameters, prepareChanges } from './module-state.ts';
import type { Parameter, ParameterChange } from './parameter.ts';
import { nameLater } from './parameter-name.ts';
import type { Predictor } from './predict/predictor.ts';
import { loadProgram, saveProgram } from './program-file.ts';
import type { LoadSource, SaveBytesOptions, SaveTarget, SaveTextOptions } from './program-file.ts';
import { replaceAll } from './replace-at.ts';
import type { Run } from './run.ts';
import { mergeCallSettings } from './settings.ts';
import type { CallSettings } from './settings.ts';
import { bindView, createViewScope, linkOf, unwrap } from './view.ts';

export type Mode = 'train' | 'eval';

/** What a module's `forward` takes. */
export type InputOf<M> = M extends { forward(input: infer Input, ...rest: never[]): unknown } ? Input : never;
/** What a module's `forward` resolves to. */
export type OutputOf<M> = M extends { forward(...all: never[]): infer Output } ? Awaited<Output> : never;

export interface ModuleMetadata {
  readonly className: string;
  readonly version: string;
  /** Dotted names, as {@link Module.namedParameters} gives them. */
  readonly parameters: readonly string[];
  readonly predictors: readonly string[];
  readonly subModules: readonly string[];
  readonly config: JsonObject;
  /** When the class was first used, wall-clock milliseconds since 1970. */
  readonly definedAtMs: number;
}

/** What a class says about itself. */
export interface ModuleClass {
  readonly name: string;
  readonly version?: string;
  readonly config?: JsonObject;
  /**
   * Makes a state of this class from a state of the earlier version `fromVersion`, which is a copy of its own. Without it, and without
   * {@link migrations}, states of earlier versions are refused.
   */
  migrate?(state: ModuleState, fromVersion: string): ModuleState;
  /** The same in steps, which may wait. Files are migrated by these when there are some, states that are at hand by `migrate` alone. */
  readonly migrations?: Migrations;
}

interface Marks {
  mode: Mode;
  isCompiled: boolean;
  requiresRun: boolean;
}

const marks: unique symbol = Symbol.for('vivarium.module-marks');
function marksOf(module: Module): Marks {
  return (unwrap(module) as unknown as Record<typeof marks, Marks>)[marks];
}

const definedAtMs = new WeakMap<object, number>();

export class Module<Input = unknown, Output = unknown> {
  static {
    giveBrand(this.prototype, moduleBrand);
  }

  constructor() {
    // Hidden, so that the fields of a module are its declarations and nothing else.
    const own: Marks = { mode: 'eval', isCompiled: false, requiresRun: false };
    Object.defineProperty(this, marks, { value: own });
    if (!definedAtMs.has(this.constructor)) definedAtMs.set(this.constructor, systemClock.now());
    nameLater(this);
  }

  /**
   * What the module does. `this` is a view of the module: the modules it declares carry the run by themselves.
   * Call {@link call} instead. @throws `program/forward-not-implemented` unless a subclass says otherwise
   */
  forward(_input: Input, _run: Run): Promise<Output> {
    const kind = this.constructor.name;
    const error = new CodedError('program/forward-not-implemented', `${kind} has no forward`, {
      fields: { kind },
    });
    return Promise.reject(error);
  }

  /**
   * Runs `forward` in a run of its own. Inside a `forward`, call through `this`, or pass the run.
   * @throws what `forward` throws; `program/run-ended`, `program/run-missing`, `program/too-deep`, `port/timeout`, `port/cancelled`
   */
  call<This extends Module>(
    this: This,
    input: InputOf<This>,
    settings?: CallSettings | Run,
  ): Promise<OutputOf<This>> {
    return callModule(this, input, settings) as Promise<OutputOf<This>>;
  }

  /** The same module with settings for the calls made through it: `program.with({ lm }).call(input)`. */
  with(settings: CallSettings): this {
    const link = linkOf(this);
    const merged = mergeCallSettings(link?.scope.settings, settings);
    return bindView<this>(unwrap(this), createViewScope(link?.scope.run, merged), link?.path ?? '');
  }

  get mode(): Mode {
    return marksOf(this).mode;
  }

  /** Sets the mode of the whole tree. */
  train(): this {
    return setMode(this, 'train');
  }

  /** Sets the mode of the whole tree. New modules are in this mode. */
  eval(): this {
    return setMode(this, 'eval');
  }

  /** Whether an optimizer has frozen the module: then its predictors are left out of the names of the program around it. */
  get isCompiled(): boolean {
    return marksOf(this).isCompiled;
  }

  set isCompiled(value: boolean) {
    marksOf(this).isCompiled = value;
  }

  /** Whether calls outside a run are refused; see {@link requireRun}. */
  get requiresRun(): boolean {
    return marksOf(this).requiresRun;
  }

  get metadata(): ModuleMetadata {
    const kind = this.constructor as ModuleClass;
    return {
      className: kind.name,
      version: kind.version ?? '0.0.0',
      parameters: namesOf(parametersOf(this)),
      predictors: namesOf(predictorsOf(this)),
      subModules: namesOf(modulesOf(this)).slice(1),
      config: this.reflectConfig(),
      definedAtMs: definedAtMs.get(this.constructor) ?? 0,
    };
  }

  /** What {@link metadata} tells as config: what the class says. Classes whose instances differ say more. Plain JSON. */
  reflectConfig(): JsonObject {
    return (this.constructor as ModuleClass).config ?? {};
  }

  /**
   * One call for each example, so many at once; the answers in the order of the examples, undefined where one failed. Inside a
   * `forward` the calls are part of its run.
   * @throws `program/batch-failed` after 10 failures unless said otherwise, `program/inputs-not-marked`, `program/input-invalid`,
   * `program/composition-invalid`, `program/settings-invalid`, `port/cancelled`
   */
  batch<This extends Module, Item extends BatchItem<InputOf<This>>>(
    this: This,
    examples: readonly Item[],
    options: BatchOptions & { readonly returnFailedExamples: true },
  ): Promise<BatchResult<Item, OutputOf<This>>>;
  batch<This extends Module>(
    this: This,
    examples: readonly BatchItem<InputOf<This>>[],
    options?: BatchOptions & { readonly returnFailedExamples?: false | undefined },
  ): Promise<(OutputOf<This> | undefined)[]>;
  async batch(examples: readonly unknown[], options: BatchOptions = {}): Promise<unknown> {
    const result = await batchModule(this, examples, options);
    return options.returnFailedExamples ? result : result.outputs;
  }

  /** Parameters of the whole tree, by dotted name such as `inner.limit` or `weights[0]`. */
  namedParameters(): readonly Named<Parameter>[] {
    return parametersOf(this);
  }

  parameters(): readonly Parameter[] {
    return parametersOf(this).map(([, parameter]) => parameter);
  }

  /** As DSPy: depth first; compiled sub-modules are left out. */
  namedPredictors(): readonly Named<Predictor>[] {
    return predictorsOf(this);
  }

  predictors(): readonly Predictor[] {
    return predictorsOf(this).map(([, predictor]) => predictor);
  }

  /** As DSPy: breadth first from `self`. A class, or a guard such as `isPredictor`, leaves the others out of the answer. */
  namedSubModules<M extends Module = Module>(
    type?: SubModuleType<M>,
    options: SubModuleOptions = {},
  ): readonly Named<M>[] {
    const accepts = acceptorOf(type);
    return modulesOf(this, options).filter((named): named is Named<M> => accepts(named[1]));
  }

  /** @throws `program/parameter-not-found` naming what exists */
  parameterNamed(name: string): Parameter {
    return parameterOfField(this, name) ?? namedOf('parameter', name, parametersOf(this));
  }

  /** @throws `program/predictor-not-found` naming what exists */
  predictorNamed(name: string): Predictor {
    return namedOf('predictor', name, predictorsOf(this));
  }

  /** With or without the leading `self.`. @throws `program/sub-module-not-found` naming what exists */
  subModuleNamed(name: string): Module {
    const all = modulesOf(this);
    const full = name === 'self' || name.startsWith('self.') ? name : `self.${name}`;
    return namedOf('sub-module', full, all);
  }

  /**
   * Replaces each predictor where it is and returns the module. All or none: when `change` throws, or one cannot be replaced, every
   * predictor is as it was. @throws what `change` throws, `program/predictor-not-found`
   */
  mapNamedPredictors(change: (predictor: Predictor, name: string) => Predictor): this {
    const changes = predictorsOf(this).map(
      ([name, predictor]) => [name, unwrap(predictor), change(predictor, name)] as const,
    );
    replaceAll(this, changes);
    return this;
  }

  /** Gives every predictor that is not frozen its own language model; undefined takes it away. */
  setLm(lm: LanguageModel | undefined): void {
    for (const [, predictor] of predictorsOf(this)) predictor.lm = lm;
  }

  /** The one language model of all predictors; undefined when none has one. @throws `program/lm-not-unique` */
  getLm(): LanguageModel | undefined {
    const models = new Set(predictorsOf(this).map(([, predictor]) => predictor.lm));
    if (models.size === 1) return [...models][0];
    throw new CodedError(
      'program/lm-not-unique',
      `the predictors use ${models.size} language models, expected one`,
      {
        fields: { count: models.size },
      },
    );
  }

  /** Everything that changes, as structured-cloneable data: parameters, predictors, mode. Language models are not data. */
  dumpState(options: { readonly withHistory?: boolean } = {}): ModuleState {
    return dumpModule(unwrap(this), options);
  }

  /**
   * Takes everything or nothing.
   * @throws `program/state-invalid`, `program/state-missing`, `program/constraint-violated`, each naming the key;
   *   `state/version-too-new` for a state of a later version of the class, `state/migration-path-not-found` for one of an earlier version
   *   when the class has no `migrate`
   */
  loadState(state: ModuleState): void {
    loadModule(unwrap(this), state);
  }

  /**
   * The program as a file, also written to `to` when that is given. As `json`, the default, it is the text of the file that DSPy's
   * `program.save` writes, and holds what predictors have learned; in the binary formats, all that {@link dumpState} gives.
   * @throws `program/state-not-json`, `state/not-encodable` naming what the format cannot hold, `state/value-too-large`,
   *   `program/save-failed`
   */
  save(to?: SaveTarget, options?: SaveTextOptions): Promise<string>;
  save(to: SaveTarget | undefined, options: SaveBytesOptions): Promise<Uint8Array<ArrayBuffer>>;
  save(
    to?: SaveTarget,
    options: SaveTextOptions | SaveBytesOptions = {},
  ): Promise<string | Uint8Array<ArrayBuffer>> {
    return saveProgram(unwrap(this), to, options);
  }

  /**
   * Takes a file that DSPy or {@link save} wrote, of any format, told by its content; everything or nothing. A language model is not
   * made from it.
   * @returns warnings, such as a program saved with another DSPy
   * @throws `program/state-invalid`, `program/state-missing`, `program/state-pickled`, `program/load-failed`; of bytes also
   *   `state/format-unknown`, `state/format-damaged`, `state/checksum-failed`, `state/version-too-new`, `state/value-too-large`,
   *   `state/migration-path-not-found`, `state/migration-failed`
   */
  load(from: LoadSource, options?: DspyLoadOptions): Promise<readonly string[]> {
    return loadProgram(unwrap(this), from, options);
  }

  /** Calls of language models that this module and the modules inside it made, oldest first; at most 1,000 and 4 MiB. */
  get lmHistory(): readonly LmHistoryEntry[] {
    return lmHistoryOf(unwrap(this));
  }

  /** The last calls of language models as text, laid out as DSPy's. */
  inspectHistory(count: number = 1): string {
    return inspectHistory(this.lmHistory, count);
  }

  /**
   * Checks a part of a state and returns the function that puts it in and cannot fail: a dry run when it is not called.
   * @throws as {@link loadState}, and `program/parameter-not-found`, `program/predictor-not-found`
   */
  prepareChanges(changes: ModuleChanges, cause: string = 'load'): () => void {
    return prepareChanges(unwrap(this), changes, cause);
  }

  dumpParameters(options: { readonly withHistory?: boolean } = {}): ParameterStates {
    return dumpParameters(unwrap(this), options);
  }

  /** Takes all or none; names that are absent stay as they are. @throws as {@link loadState}, and `program/parameter-not-found` */
  loadParameters(states: ParameterStates, cause: string = 'load'): void {
    loadParameters(unwrap(this), states, cause);
  }

  /** Called after each change of a parameter that the tree holds now, with its dotted name. The returned function ends it. */
  onParameterChange(listener: (change: ParameterChange) => void): () => void {
    const ends = parametersOf(unwrap(this)).map(([name, parameter]) =>
      parameter.subscribe((change) => listener({ ...change, name })),
    );
    return () => {
      for (const end of ends) end();
    };
  }

  /** An independent copy: modules, parameters and containers are copied, everything else is shared. */
  deepcopy(): this {
    return copyModule(unwrap(this));
  }

  /** A copy whose predictors have no demos, traces and language model of their own; signatures stay. */
  resetCopy(): this {
    const copy = this.deepcopy();
    for (const [, predictor] of predictorsOf(copy)) predictor.reset();
    return copy;
  }

  /** Gives the parameters in own fields the names of these fields. The library calls it. */
  nameParameters(): void {
    for (const [name, parameter] of ownParametersOf(this)) parameter.assignName(name);
  }

  /** Takes over what is not in fields. The library calls it when it copies a module. */
  copyMarksTo(copy: Module): void {
    Object.defineProperty(copy, marks, { value: { ...marksOf(this), requiresRun: false } });
  }
}

/** True for modules of this or another copy of the library, and for views of them. */
export function isModule(value: unknown): value is Module {
  return hasBrand(value, moduleBrand);
}

/** From now on calls of these modules outside a run end with `program/run-missing`. Hosts call it on what they host. */
export function requireRun(module: Module): void {
  for (const [, each] of modulesOf(module)) marksOf(each).requiresRun = true;
}

function setMode<M extends Module>(root: M, mode: Mode): M {
  for (const [, module] of modulesOf(root)) marksOf(module).mode = mode;
  return root;
}
