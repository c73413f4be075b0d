/** What the page and a hosted module say to each other. The module's side is `module-actor.ts`. */
import type { JsonObject } from '../base/index.ts';
import type {
  ModuleChanges,
  ModuleDescription,
  ModuleState,
  ParameterState,
  PredictorState,
  RunWire,
  UsageByModel,
} from '../program/index.ts';
import type { Executor } from '../executor/index.ts';
import type { LmDescription } from './page-service/lm-proxy.ts';
import type { FamilyMember } from './sub-module/family-shape.ts';
import type { SwapFit } from './sub-module/part-shape.ts';
import type { WireExample } from './compile/trainset.ts';

export interface StartArgs {
  /** What the module is restarted with: parameters, predictors and mode. */
  readonly state?: ModuleState | undefined;
  /** The last change that the page knows of, so that a restarted module counts on. */
  readonly sequence?: number | undefined;
  /** Default: the newest. */
  readonly version?: string | undefined;
  /** The class of this version that ran before: it is started again also where another one is served by now. */
  readonly edition?: Edition | undefined;
  /** Only with {@link importedKind}: the kind, … */
  readonly kind?: string | undefined;
  /** … and what was imported of it. */
  readonly loaded?: readonly LoadedVersion[] | undefined;
  /** Its sub-modules that are actors of their own. */
  readonly parts?: readonly PartLink[] | undefined;
}

/** What happens to calls of a sub-module while its actor is down. See {@link SubModuleActor}. */
export type SubModuleWhenDown = 'fail' | 'local' | 'restart';

/** A sub-module that is an actor of its own, as the module around it knows it. */
export interface PartLink {
  /** Where it is in the program, as `subModuleNamed` takes it. */
  readonly path: string;
  /** The actor's id. */
  readonly id: string;
  readonly whenDown: SubModuleWhenDown;
}

/** A state of which a module is to say what it would make of it. */
export interface StateCheckBody {
  readonly state: ModuleState;
  /** It holds only what was ever changed: the rest is as the class declares it. */
  readonly isPartial: boolean;
}

/** What a module would have with a state. It has none of it yet. */
export interface CheckedState {
  /** All of it, of the version that runs. */
  readonly state: ModuleState;
  /** What does not follow the class. */
  readonly changed: Predictors;
}

/** What is committed by now, and is put in. */
interface Committed {
  /** Which start of the module it is for: a later one has begun with it. */
  readonly incarnation: number;
  /** Counts what the page asks the module for: it may come, once more, behind what the module was asked for later. */
  readonly order: number;
}

/** Puts in what was checked. */
export interface StateLoadBody extends CheckedState, Committed {}

/** The class of a part, and the names of its own things → their names in the module around it. */
export interface PartNames {
  readonly className: string;
  readonly version: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly predictors: Readonly<Record<string, string>>;
  readonly modules: Readonly<Record<string, string>>;
}

/** One class among all that were served as one version, as while it is edited. */
export interface Edition {
  /** Of this class in the worker that served it. */
  readonly id: string;
  /** Of its text: how another worker finds the same class. */
  readonly mark: string;
}

/** Under this kind of actor a worker starts modules of a kind that it may have to import first. */
export const importedKind = 'vivarium-imported';
/** An actor that answers what a worker's catalog knows: `versions` and `load`. */
export const catalogKind = 'vivarium-catalog';

/** A version as the page and a worker speak of it. */
export interface VersionInfo {
  readonly version: string;
  readonly url?: string;
}

/** A version that was imported from a file. */
export interface LoadedVersion extends VersionInfo {
  readonly url: string;
}

export interface VersionsBody {
  readonly kind: string;
}

export interface LoadBody {
  readonly kind: string;
  readonly url: string;
  /** What other workers have imported already. */
  readonly loaded: readonly LoadedVersion[];
  readonly timeoutMs: number;
}

/** What survives a change of the class, beside parameters and mode: predictors follow their class unless they were changed. */
export type Predictors = Pick<ModuleState, 'predictors' | 'compiled'>;

/** What a version left behind, for the way back. */
export interface PreviousVersion {
  readonly version: string;
  readonly url?: string | undefined;
  readonly state: ModuleState;
  /** Parameters that the next version took over as they were. */
  readonly same: readonly string[];
}

export interface SwapBody {
  readonly version?: string | undefined;
  readonly url?: string | undefined;
  readonly loaded: readonly LoadedVersion[];
  readonly timeoutMs: number;
  /** Only for a way back. */
  readonly previous?: PreviousVersion | undefined;
  /** The actors inside it and around it, which it must fit. */
  readonly fit?: SwapFit;
  /** Values of what is bound to shared parameters, by name: whatever a migration or a way back makes of them, they stay these. */
  readonly shared?: Readonly<Record<string, unknown>> | undefined;
}

export interface SwapAnswer {
  readonly from: string;
  readonly to: string;
}

/** The worker serves other code: whether the module could take it. Nothing changes. */
export interface UpdateCheckBody extends Pick<SwapBody, 'shared'> {
  /** All that take it together. */
  readonly family: FamilyMember;
}

/** The class that it would take; `undefined` when its class was not exchanged. */
export type UpdateCheckAnswer = { readonly edition: Edition | undefined } | undefined;

/** To a module whose class was exchanged: it takes the new one. */
export interface UpdateBody extends Pick<SwapBody, 'shared' | 'previous'> {
  /** Default, and where it is not known: the newest. */
  readonly edition?: Edition | undefined;
}

/** What a change of version took over. */
export interface Taken extends Predictors {
  readonly from: string;
  readonly same: readonly string[];
}

/** Sent in the turn in which another version takes over, before anything that it does itself. */
export interface ModuleSwapBody extends Described {
  readonly module: string;
  /** The actor's own: the words of an earlier start of the same id are not taken for those of the one that runs. */
  readonly incarnation: number;
  readonly taken: Taken;
  readonly sequence: number;
}

/** The classes of these kinds were exchanged in a worker. */
export interface CatalogChangeBody {
  readonly kinds: readonly string[];
}

/** New code came and could not be taken. */
export interface UpdateFailBody {
  readonly message: string;
  readonly file?: string | undefined;
}

/** The page's service that hears of changes made inside the worker. */
export const journalService = 'journal';

/** What of the page a program may use. */
export interface PageContext {
  /** What the page's model is, when it has one. */
  readonly lm?: LmDescription | undefined;
  /** What the page's executor runs, when it has one. */
  readonly executor?: Pick<Executor, 'language' | 'capabilities'> | undefined;
}

export interface ForwardBody extends PageContext {
  readonly input: unknown;
  /** The run that this call belongs to, with the time that is left. */
  readonly run: RunWire;
  /** Whether the caller wants to hear of stream parts. */
  readonly wantsDeltas: boolean;
}

/** The page's service that knows where sub-modules run that are actors of their own. */
export const subModuleService = 'sub-module';

/** A module asks for a part of its own. */
export interface PartCallBody {
  /** The actor that asks. */
  readonly owner: string;
  /** Which start of it. */
  readonly incarnation: number;
  readonly path: string;
  readonly input: unknown;
  readonly run: RunWire;
  readonly wantsDeltas: boolean;
}

/** What a part answers to the module around it. */
export interface PartAnswer {
  readonly output: unknown;
  /** It was a prediction: it becomes one again where it goes. */
  readonly isPrediction: boolean;
  readonly usage: UsageByModel;
}

/** To the module around a part: the part's whole state, for the copy in its own worker. */
export interface PartLoadBody {
  readonly path: string;
  readonly state: ModuleState;
}

/** To the module around a part: one parameter of the part has changed. */
export interface PartChangeBody {
  /** As the module around it calls the parameter. */
  readonly name: string;
  readonly state: ParameterState;
}

/** To the page: the copy of a part could not follow its owner. */
export interface PartStaleBody {
  readonly module: string;
  readonly part: string;
  readonly reason: string;
}

export interface ParameterSetBody {
  readonly name: string;
  readonly value: unknown;
  readonly cause: string;
  /** As that of what is committed; absent when nothing older can come behind it. */
  readonly order?: number;
}

export interface ParameterStepBody {
  readonly name: string;
  readonly gradient: unknown;
  readonly cause: string;
}

/** One change, with the whole new state, so that the page can restart the module from it. */
export interface ParameterRecord {
  readonly name: string;
  readonly oldValue: unknown;
  readonly cause: string;
  readonly atMs: number;
  readonly state: ParameterState;
  /** Counts the changes of one module, in the order in which its owner made them. Absent: the order of arrival is that order. */
  readonly sequence?: number;
}

/** A value that was taken as it was sent: the page need not get it back. */
export interface ParameterTaken {
  readonly isTaken: true;
  readonly updatedAtMs: number;
  readonly sequence: number;
}

/** Changes that the owner checks in one turn. */
export interface ChangesBody {
  readonly changes: ModuleChanges;
  readonly cause: string;
}

/** Puts them in. */
export interface ChangesApplyBody extends ChangesBody, Committed {}

/** To one that was started while the page still took over what its run before had answered: it began without that. */
export interface ChangesMissedBody extends ChangesApplyBody {
  /** The newest change that the page has heard of: what changes from here on comes after it. */
  readonly sequence: number;
}

/** When the owner put changes, or a state, in. */
export interface ChangesApplied {
  readonly sequence: number;
  /** Parameters that were set since, as the page had asked for: they stay as they are. */
  readonly kept: readonly string[];
}

/** To an owner that refused what it had agreed to, and what is committed: it ends, and starts again from what the page has. */
export interface OwnerBehindBody {
  readonly reason: string;
}

export interface CompileBody extends PageContext {
  readonly optimizer: string;
  readonly options: JsonObject;
  readonly metric?: string | undefined;
  readonly trainset: readonly WireExample[];
  readonly timeoutMs?: number | undefined;
  /** Time between two reports of progress. */
  readonly progressMs: number;
}

/** What the optimizer changed. The module has none of it yet. */
export interface CompileProposal {
  readonly parameters: Readonly<Record<string, ParameterState>>;
  readonly predictors: Readonly<Record<string, PredictorState>>;
  /** Frozen sub-modules, when the optimizer froze or thawed one. */
  readonly compiled?: readonly string[];
}

export interface ParameterChangeBody extends ParameterRecord {
  readonly module: string;
  /** The actor's own: the words of an earlier start of the same id are not taken for those of the one that runs. */
  readonly incarnation: number;
  /** What the module has made of a value that the page has put in. */
  readonly isCorrection?: boolean;
}

/** What a started module says of itself. */
export interface Described {
  readonly description: ModuleDescription;
  readonly state: ModuleState;
  /** Its sub-modules that are actors of their own, by path. */
  readonly parts: Readonly<Record<string, PartNames>>;
  /** The file that the class is from; undefined for what the worker entry serves. */
  readonly url?: string | undefined;
  /** The very class; undefined for one that is from a file. */
  readonly edition?: Edition | undefined;
  /** After a start from the state of another version, or by another class than ran before. */
  readonly taken?: Taken | undefined;
}
