/** The state of a program whose sub-modules live in several actors, as one state, and the way back. */
import { isCodedError } from '../../base/index.ts';
import type { Mode, ModuleState } from '../../program/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Durability, Write } from '../../state/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { HostedPart } from '../sub-module/hosted-part.ts';
import { ModuleJournal } from './module-journal.ts';
import type { ChangeListener, KnownStates } from '../parameter/cached-parameters.ts';
import type { PartNames } from '../module-protocol.ts';
import { changeInTurn } from '../parameter/change-together.ts';
import type { BoundChangeHost } from '../parameter/change-together.ts';
import { planShared, sharedOfAll } from '../parameter/shared-plan.ts';
import { inTurn } from '../parameter/whole-change.ts';

function renamed<T>(
  values: Readonly<Record<string, T>>,
  names: Iterable<readonly [from: string, to: string]>,
): Record<string, T> {
  const found: [string, T][] = [];
  for (const [from, to] of names) if (Object.hasOwn(values, from)) found.push([to, values[from] as T]);
  return Object.fromEntries(found);
}

const inward = (names: Readonly<Record<string, string>>): (readonly [string, string])[] =>
  Object.entries(names).map(([own, outer]) => [outer, own] as const);

/** What of a state belongs to a part, under the part's own names. */
export function partOfState(state: ModuleState, names: PartNames): ModuleState {
  const compiled = new Set(state.compiled);
  const { className, version } = names;
  return {
    ...state,
    className,
    version,
    parameters: renamed(state.parameters, inward(names.parameters)),
    predictors: renamed(state.predictors, inward(names.predictors)),
    compiled: Object.entries(names.modules).flatMap(([own, outer]) => (compiled.has(outer) ? [own] : [])),
  };
}

/** A state with that of a part inside it, under the names that it has here. */
export function withPart(state: ModuleState, { names }: HostedPart, part: ModuleState): ModuleState {
  const outer = new Set(Object.values(names.modules));
  return {
    ...state,
    parameters: { ...state.parameters, ...renamed(part.parameters, Object.entries(names.parameters)) },
    predictors: { ...state.predictors, ...renamed(part.predictors, Object.entries(names.predictors)) },
    compiled: [
      ...state.compiled.filter((name) => !outer.has(name)),
      ...part.compiled.map((name) => names.modules[name] ?? name),
    ],
  };
}

/** The module and everything hosted inside it, outermost first. */
export function wholeFamily(
  module: HostedModuleRecord,
): readonly [HostedModuleRecord, ...HostedModuleRecord[]] {
  return [module, ...[...module.parts.values()].flatMap((part) => wholeFamily(part.module))];
}

/** What the page knows without asking anybody. */
export function knownState(module: HostedModuleRecord): ModuleState | undefined {
  const own = module.journal.state;
  if (!own) return undefined;
  return [...module.parts.values()].reduce((state, part) => {
    const inside = knownState(part.module);
    return inside ? withPart(state, part, inside) : state;
  }, own);
}

/** As {@link dumpWhole}, of a moment at which nobody puts another state in. */
export function dumpInTurn(module: HostedModuleRecord, turn: WholeTurn): Promise<ModuleState> {
  return inTurn(wholeFamily(module), { ...turn, isAlone: false }, () => dumpWhole(module));
}

/** Asks every actor of the program; of one that is down, what the page knows is taken. */
async function dumpWhole(module: HostedModuleRecord): Promise<ModuleState> {
  let state = (await module.call('state-dump', null)) as ModuleState;
  for (const part of module.parts.values()) {
    const inside = part.module.isOver ? knownState(part.module) : await dumpWhole(part.module);
    if (inside) state = withPart(state, part, inside);
  }
  return state;
}

interface Loaded {
  readonly module: HostedModuleRecord;
  readonly state: ModuleState;
  /** What the page knew at that moment: what is another by the end is newer than the load. */
  readonly known: KnownStates;
}

function loadedOf(module: HostedModuleRecord, state: ModuleState): Loaded {
  return { module, state, known: module.journal.knownStates };
}

async function loadInto(
  module: HostedModuleRecord,
  state: ModuleState,
  loaded: Loaded[],
  method: 'state-load' | 'state-return' = 'state-load',
): Promise<void> {
  const taken = (await module.call(method, state)) as ModuleState;
  loaded.push(loadedOf(module, taken));
  await loadParts(module, taken, loaded);
}

/** A part that is down takes its share when it is started again. */
async function loadParts(module: HostedModuleRecord, state: ModuleState, loaded: Loaded[]): Promise<void> {
  for (const { module: part, names } of module.parts.values()) {
    const share = partOfState(state, names);
    if (!part.isOver) {
      await loadInto(part, share, loaded);
      continue;
    }
    loaded.push(loadedOf(part, share));
    await loadParts(part, share, loaded);
  }
}

interface WholeTurn {
  readonly clock: Clock;
  /** To wait for other changes of the program. */
  readonly timeoutMs: number;
}

interface LoadChange extends WholeTurn {
  readonly state: ModuleState;
  /** The state holds only what was ever changed: the rest is as the classes declare it. Default false. */
  readonly isPartial?: boolean;
  readonly cause: string;
  readonly durability: Durability;
}

/**
 * Every actor takes its share, or none does. What is bound to a shared parameter sets that, and with it every module that is bound to it, in
 * the same transaction.
 * @throws what the first that refuses throws, `runtime/shared-conflict`
 */
export async function loadWhole(
  host: BoundChangeHost,
  module: HostedModuleRecord,
  change: LoadChange,
): Promise<void> {
  const family = wholeFamily(module);
  const shared = [...sharedOfAll(host, family)];
  if (shared.length === 0) return inTurn(family, { ...change, isAlone: true }, () => loadAll(module, change));
  await inTurn(shared, { ...change, isAlone: true }, () => {
    // all at once: whoever waited for them one after the other could wait in a circle
    const concerned = new Set([...family, ...shared.flatMap(({ boundModules }) => boundModules)]);
    return inTurn([...concerned], { ...change, isAlone: true }, () => loadBound(host, module, change));
  });
}

function methodOf({ isPartial }: Pick<LoadChange, 'isPartial'>): 'state-load' | 'state-return' {
  return isPartial ? 'state-return' : 'state-load';
}

async function loadAll(module: HostedModuleRecord, { state, ...change }: LoadChange): Promise<void> {
  const before = module.parts.size === 0 ? undefined : await dumpWhole(module);
  const loaded: Loaded[] = [];
  try {
    await loadInto(module, state, loaded, methodOf(change));
  } catch (error) {
    if (before && loaded.length > 0) await loadInto(module, before, []).catch(() => undefined);
    throw error;
  }
  const atMs = change.clock.now();
  for (const each of loaded) each.module.journal.replace(each.state, { ...change, atMs });
  const journals = loaded.map((each) => each.module.journal) as [ModuleJournal, ...ModuleJournal[]];
  await ModuleJournal.persistTogether(journals, 'all', change.durability);
}

/** As {@link loadAll}, of modules with shared parameters, whose turn it is too. */
async function loadBound(
  host: BoundChangeHost,
  module: HostedModuleRecord,
  { state, clock, timeoutMs, cause, durability, isPartial = false }: LoadChange,
): Promise<void> {
  const before = await dumpWhole(module);
  const loaded: Loaded[] = [];
  let isCommitted = false;
  try {
    await loadInto(module, state, loaded, methodOf({ isPartial }));
    const parts = loaded.map((each) => {
      return { module: each.module, cause, changes: { parameters: each.state.parameters } };
    });
    const plan = planShared(host, parts);
    const atMs = clock.now();
    await changeInTurn(host, plan.parts, {
      level: durability,
      timeoutMs,
      journals: loaded.map((each) => each.module.journal),
      onUnknown: plan.onUnknown,
      writes: () => [...loaded.flatMap((each) => writesOf(each, { cause, atMs })), ...plan.writes],
      onCommit: () => {
        isCommitted = true;
        for (const each of loaded)
          each.module.journal.replace(each.state, { cause, atMs, known: each.known });
        plan.onCommit();
      },
    });
  } catch (error) {
    // once it is committed it is in
    if (!isCommitted && loaded.length > 0) await loadInto(module, before, []).catch(() => undefined);
    // the store may hold what nobody was promised: what is true goes over it
    if (isCodedError(error, 'state/write-failed')) for (const each of loaded) rewriteAll(each, durability);
    throw error;
  }
}

function rewriteAll({ module: { journal } }: Loaded, durability: Durability): void {
  for (const name of journal.parameters.keys()) void journal.late.rewrite(name, durability);
  void journal.late.rewriteMeta(durability);
}

function writesOf(
  { module, state, known }: Loaded,
  change: { readonly cause: string; readonly atMs: number },
): readonly Write[] {
  return module.journal.foreseeWhole(state, { ...change, known });
}

/** Hears of every change of every parameter of the whole program, under its name in this module. */
export function subscribeWhole(module: HostedModuleRecord, listener: ChangeListener): () => void {
  const ends = [
    module.journal.subscribe(listener),
    ...[...module.parts.values()].map(({ module: part, names }) =>
      subscribeWhole(part, (change) =>
        listener({ ...change, name: names.parameters[change.name] ?? change.name }),
      ),
    ),
  ];
  return () => {
    for (const end of ends) end();
  };
}

interface ModeChange extends WholeTurn {
  readonly level: Durability | 'memory';
}

/** Every actor of the program has the mode; resolves when all of it is committed as asked. */
export async function setWholeMode(
  module: HostedModuleRecord,
  mode: Mode,
  change: ModeChange,
): Promise<void> {
  const family = wholeFamily(module);
  await inTurn(family, { ...change, isAlone: true }, () => setModes(family, mode, change));
}

async function setModes(
  family: readonly [HostedModuleRecord, ...HostedModuleRecord[]],
  mode: Mode,
  { level }: ModeChange,
): Promise<void> {
  for (const each of family) {
    if (each === family[0] || !each.isOver) await each.call('mode-set', mode);
    each.journal.setMode(mode);
  }
  if (level === 'memory') {
    for (const each of family) each.journal.late.oweMeta();
    return;
  }
  const journals = family.map((each) => each.journal) as [ModuleJournal, ...ModuleJournal[]];
  await ModuleJournal.persistTogether(journals, 'meta', level);
}
