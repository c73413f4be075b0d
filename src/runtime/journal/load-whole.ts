/**
 * Another state for whole programs, all of it or nothing: every actor says first what it would make of its share, one transaction holds all of
 * it, and then every actor puts it in. Before the commit nothing has changed; whoever is lost after it begins with what is committed.
 */
import type { Mode, ModuleState } from '../../program/index.ts';
import type { Durability } from '../../state/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { CheckedState, StateCheckBody } from '../module-protocol.ts';
import { changeInTurn } from '../parameter/change-together.ts';
import type { BoundChangeHost, ChangeHost, ChangePart } from '../parameter/change-together.ts';
import { startAgain } from '../parameter/deliver.ts';
import type { AcknowledgementLevel } from '../parameter/parameter-handle.ts';
import { sameData } from '../parameter/same-data.ts';
import { planShared, sharedOfAll } from '../parameter/shared-plan.ts';
import type { HostedSharedParameter } from '../parameter/shared-parameter.ts';
import type { SharedBindings, SharedPlan } from '../parameter/shared-plan.ts';
import { inTurn } from '../parameter/whole-change.ts';
import type { HostedPart } from '../sub-module/hosted-part.ts';
import { partOfState, wholeFamily } from './whole-state.ts';
import type { WholeState, WholeTurn } from './whole-state.ts';

/** A state for a module, with the actors inside it. */
export interface ModuleLoad {
  readonly module: HostedModuleRecord;
  readonly state: WholeState;
  /** It holds only what was ever changed: the rest is as the classes declare it. Default false. */
  readonly isPartial?: boolean | undefined;
}

interface LoadChange extends WholeTurn {
  readonly cause: string;
  readonly durability: Durability;
}

/** What goes with the states of programs. */
export interface LoadBeside {
  /** Makes another state of what an actor would make of its share. @throws what is wrong with that */
  readonly amend: (module: HostedModuleRecord, checked: CheckedState) => Promise<CheckedState>;
  /** What else belongs to the transaction, asked for when every actor has been asked. */
  readonly plan?: (parts: readonly ChangePart[]) => Promise<Omit<SharedPlan, 'parts'>>;
}

/** What one actor of a program is to have. */
interface Share {
  readonly module: HostedModuleRecord;
  readonly given: WholeState;
  readonly isPartial: boolean;
  readonly checked: CheckedState;
  /** Nobody could be asked. */
  readonly isDown: boolean;
}

/** As {@link loadTogether}, for one module. */
export async function loadWhole(
  host: BoundChangeHost,
  module: HostedModuleRecord,
  { state, isPartial, ...change }: LoadChange & Omit<ModuleLoad, 'module'>,
): Promise<void> {
  await loadTogether(host, [{ module, state, isPartial }], change);
}

/**
 * Every actor of every program takes its share, or none does. What is bound to a shared parameter sets that, and with it every module that is
 * bound to it, in the same transaction. Of each program only the outermost module may be named.
 * @throws what the first that refuses throws, `runtime/shared-conflict`, `state/…`: nothing has changed then. What ended a module after the
 *   commit: then it is done
 */
export async function loadTogether(
  host: BoundChangeHost,
  loads: readonly ModuleLoad[],
  change: LoadChange,
): Promise<void> {
  const family = loads.flatMap(({ module }) => wholeFamily(module));
  const shared = [...sharedOfAll(host, family)];
  const turn = { ...change, isAlone: true };
  if (shared.length === 0) return inTurn(family, turn, () => loadInTurn(host, loads, change));
  await inTurn(shared, turn, () => {
    // all at once: whoever waited for them one after the other could wait in a circle
    const concerned = new Set([...family, ...shared.flatMap(({ boundModules }) => boundModules)]);
    return inTurn([...concerned], turn, () => loadInTurn(host, loads, change));
  });
}

/** As {@link loadTogether}, for whoever has the turn of all of them. */
export async function loadInTurn(
  host: BoundChangeHost,
  loads: readonly ModuleLoad[],
  change: LoadChange,
  beside?: LoadBeside,
): Promise<void> {
  const { cause, durability: level, clock, timeoutMs } = change;
  const found: Share[] = [];
  for (const load of loads) found.push(...(await sharesOf(load, timeoutMs)));
  const shares = beside ? await Promise.all(found.map((share) => amended(share, beside))) : found;
  const updatedAtMs = clock.now();
  const parts = shares.map((share) => changeOf(share, { cause, updatedAtMs }));
  const plan = planShared(host, parts);
  const others = await beside?.plan?.(parts);
  let revived: readonly Share[] = [];
  try {
    await changeInTurn(host, [...parts, ...plan.parts], {
      level,
      timeoutMs,
      writes: () => [...plan.writes, ...(others?.writes ?? [])],
      onCommit: () => {
        plan.onCommit(level);
        others?.onCommit(level);
      },
      onUnknown: () => {
        plan.onUnknown();
        others?.onUnknown();
      },
      onTake: () => (revived = shares.filter(({ isDown, module }) => isDown && !module.isOver)),
    });
  } finally {
    // the copies in the modules around have what the owners made of it
    for (const { module } of shares) if (module.parts.size === 0) host.onStateChange(module);
  }
  for (const share of revived) await loadRevived(host, share, change);
}

async function amended(share: Share, { amend }: LoadBeside): Promise<Share> {
  return { ...share, checked: await amend(share.module, share.checked) };
}

/**
 * What a module is bound to has the shared value, also where it was not bound when its state was made.
 * @param valueOf undefined: whatever the state says
 * @throws what its own constraints have against that
 */
export async function withShared(
  bindings: SharedBindings,
  module: HostedModuleRecord,
  checked: CheckedState,
  valueOf: (shared: HostedSharedParameter) => { readonly value: unknown } | undefined,
): Promise<CheckedState> {
  const others = Object.entries(checked.state.parameters).flatMap(([name, parameter]) => {
    const shared = module.journal.parameters.has(name) ? bindings.sharedOf(module, name) : undefined;
    const wanted = shared && valueOf(shared);
    if (!wanted || sameData(parameter.value, wanted.value)) return [];
    return [[name, { ...parameter, value: wanted.value }] as const];
  });
  if (others.length === 0) return checked;
  const parameters = { ...checked.state.parameters, ...Object.fromEntries(others) };
  const state = { ...checked.state, parameters };
  const body: StateCheckBody = { state, isPartial: false };
  if (!module.isOver) await module.call('state-check', body, { isIdempotent: true });
  return { ...checked, state };
}

/** It may have been started with what was there before, while the rest was being committed. As any that starts, it has what is shared by now. */
async function loadRevived(
  host: BoundChangeHost,
  { module, given: state, isPartial }: Share,
  change: LoadChange,
): Promise<void> {
  const { restarts } = module;
  const amend: LoadBeside['amend'] = (each, checked) => withShared(host, each, checked, (shared) => shared);
  try {
    await loadInTurn(host, [{ module, state, isPartial }], change, { amend });
  } catch (error) {
    // it is committed all the same: it begins with it, now or when it has ended again
    await startAgain(module, restarts, error).catch(() => undefined);
  }
}

/** The module's own first. */
async function sharesOf(
  { module, state: given, isPartial = false }: ModuleLoad,
  timeoutMs: number,
): Promise<readonly Share[]> {
  const { parts: _, ...state } = given;
  const body: StateCheckBody = { state, isPartial };
  const answer = module.call('state-check', body, { timeoutMs, isIdempotent: true });
  const checked = (await answer) as CheckedState;
  return sharesBelow({ module, given, isPartial, checked, isDown: false }, timeoutMs);
}

async function sharesBelow(share: Share, timeoutMs: number): Promise<readonly Share[]> {
  const shares = [share];
  for (const part of share.module.parts.values()) {
    const load = loadOfPart(share, part);
    shares.push(
      ...(part.module.isOver ? await sharesOfDown(share, part, timeoutMs) : await sharesOf(load, timeoutMs)),
    );
  }
  return shares;
}

/** A part that is down takes its share when it is started again, which then can only be as it is. */
async function sharesOfDown(around: Share, part: HostedPart, timeoutMs: number): Promise<readonly Share[]> {
  const { module, state: given, isPartial } = loadOfPart(around, part);
  const { parts: _, ...own } = given;
  // what was never changed is as the program declares it: there is nobody else to ask
  const { parameters } = partOfState(around.checked.state, part.names);
  const state: ModuleState = { ...own, parameters: { ...parameters, ...own.parameters } };
  const checked = { state, changed: { predictors: own.predictors, compiled: own.compiled } };
  return sharesBelow({ module, given, isPartial: isPartial ?? false, checked, isDown: true }, timeoutMs);
}

/** Of the version that the part had then, unless the module around it has migrated what is the part's too. */
function loadOfPart({ given, checked, isPartial }: Share, { path, module, names }: HostedPart): ModuleLoad {
  const mark = given.parts?.[path];
  const isMigrated = given.version !== checked.state.version;
  const { mode = checked.state.mode, parts } = mark ?? {};
  const marked = { mode, ...(parts && { parts }) };
  const share = partOfState(given, names);
  if (mark && mark.version !== names.version && isUntouched(share, partOfState(checked.state, names)))
    return { module, state: { ...share, ...marked, version: mark.version }, isPartial };
  const state = partOfState({ ...checked.state, ...checked.changed }, names);
  return { module, state: { ...state, ...marked }, isPartial: isPartial || isMigrated };
}

function isUntouched(before: ModuleState, after: ModuleState): boolean {
  return Object.entries(before.parameters).every(([name, { value }]) =>
    sameData(value, after.parameters[name]?.value),
  );
}

function changeOf(
  { module, checked, isDown }: Share,
  { cause, updatedAtMs }: { readonly cause: string; readonly updatedAtMs: number },
): ChangePart {
  // others are owned by actors inside the module
  const own = Object.entries(checked.state.parameters).filter(([name]) =>
    module.journal.parameters.has(name),
  );
  const changes = { parameters: Object.fromEntries(own) };
  return {
    module,
    changes,
    cause,
    program: { whole: checked },
    memory: { updatedAtMs },
    isChecked: true,
    isDown,
  };
}

interface ModeChange extends WholeTurn {
  readonly level: AcknowledgementLevel;
}

/** Every actor of the program has the mode; resolves when all of it is committed as asked. */
export async function setWholeMode(
  host: ChangeHost,
  module: HostedModuleRecord,
  mode: Mode,
  { level, ...turn }: ModeChange,
): Promise<void> {
  const family = wholeFamily(module);
  await inTurn(family, { ...turn, isAlone: true }, () => {
    const memory = { updatedAtMs: turn.clock.now() };
    const parts = family.map((each): ChangePart => {
      const isDown = each !== module && each.isOver;
      return { module: each, changes: {}, cause: mode, program: { mode }, memory, isChecked: true, isDown };
    });
    return changeInTurn(host, parts, { level, timeoutMs: turn.timeoutMs });
  });
}
