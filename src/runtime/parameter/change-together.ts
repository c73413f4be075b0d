/**
 * Changes of one or several modules that are all made or not at all. The owners are asked first, then one transaction holds
 * everything, then the page's journals, and last the owners are told. A worker that dies on the way starts again from its journal.
 */
import { isCodedError } from '../../base/index.ts';
import { cancellation, withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { ModuleChanges, ParameterState } from '../../program/index.ts';
import type { Write } from '../../state/index.ts';
import { byOwner } from './change-by-owner.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { Committer } from '../journal/journal-disk.ts';
import type { ModuleMemory } from '../journal/module-memory.ts';
import type { WholeProgram } from '../journal/program-changes.ts';
import type { ChangesBody, ParameterRecord } from '../module-protocol.ts';
import { deliver } from './deliver.ts';
import type { AcknowledgementLevel } from './parameter-handle.ts';
import { planShared, sharedIn } from './shared-plan.ts';
import type { SharedBindings } from './shared-plan.ts';
import { inTurn } from './whole-change.ts';

/** What changes in one module. Its values belong to the change: nobody else holds them. */
export interface ChangePart {
  readonly module: HostedModuleRecord;
  readonly changes: ModuleChanges;
  readonly cause: string;
  /** What the module remembers of it, stored in the same transaction. */
  readonly memory?: Partial<ModuleMemory>;
  /** The owner has already said that it takes the changes. */
  readonly isChecked?: boolean;
  /** Everything beside the parameters. Nobody can have anything against it, or has. */
  readonly program?: WholeProgram | undefined;
  /** Its actor has ended: it takes the change when it is started again. */
  readonly isDown?: boolean;
}

export interface ChangeOptions {
  readonly level: AcknowledgementLevel;
  /** For each wait, and the owners' consent. What is committed waits for its owners without a limit. */
  readonly timeoutMs?: number | undefined;
  /** Heard until the transaction begins. */
  readonly signal?: AbortSignal | undefined;
  /** What else belongs to the transaction, asked for when it begins. */
  readonly writes?: () => readonly Write[];
  /** The store may hold those writes, though nobody was promised them. */
  readonly onUnknown?: (() => void) | undefined;
  /** Runs when everything is committed, in the turn in which the journals take it over. */
  readonly onCommit?: (level: AcknowledgementLevel) => void;
  /** Runs when the journals have all of it, in that same turn: whoever hears of it here finds it. */
  readonly onTake?: () => void;
}

export interface ChangeHost {
  readonly clock: Clock;
  readonly committer: Committer;
  onParameterChange(module: HostedModuleRecord, record: ParameterRecord): void;
  /** The page has another program of the module, or another mode. */
  onStateChange(module: HostedModuleRecord): void;
}

/** A part of which the outcome is known before it has come. */
interface Foreseen extends ChangePart {
  readonly atMs: number;
  readonly records: readonly ParameterRecord[];
  readonly before: ReadonlyMap<string, ParameterState>;
  /** The number of each parameter's write in the transaction. */
  readonly writes: Map<string, number>;
  /** Parameters that changed while the transaction was under way: the store may hold them in the wrong order. */
  readonly overtaken: Set<string>;
}

/** A host of changes that set what is bound to shared parameters too. */
export interface BoundChangeHost extends ChangeHost, SharedBindings {}

/**
 * What is bound to a shared parameter sets that, and with it every module that is bound to it, in the same transaction.
 * @throws what an owner has against it, `port/timeout`, `port/cancelled`, `runtime/shared-conflict`, or `state/…`: then nothing has changed
 *   anywhere. What a module's end throws after the commit: then it is done, and the module has it when it starts again
 */
export async function changeTogether(
  host: BoundChangeHost,
  given: readonly ChangePart[],
  options: ChangeOptions,
): Promise<void> {
  const shared = sharedIn(host, given.flatMap(byOwner));
  if (shared.size === 0) return changeModules(host, given, options);
  const { timeoutMs, signal } = options;
  await inTurn([...shared], { clock: host.clock, timeoutMs, signal, isAlone: true }, () => {
    const parts = given.flatMap(byOwner);
    // started again, it would be set to what is shared: this must not be said to be done then
    for (const { module } of parts) if (module.endedWith) throw module.endedWith;
    const plan = planShared(host, parts);
    return changeModules(host, [...given, ...plan.parts], {
      ...options,
      writes: () => [...(options.writes?.() ?? []), ...plan.writes],
      onUnknown: plan.onUnknown,
      onCommit: (level) => {
        options.onCommit?.(level);
        plan.onCommit(level);
      },
    });
  });
}

/** As {@link changeTogether}, for whoever has seen to the shared parameters. */
export async function changeModules(
  host: ChangeHost,
  given: readonly ChangePart[],
  options: ChangeOptions,
): Promise<void> {
  const modules = given.flatMap(byOwner).map(({ module }) => module);
  const { timeoutMs, signal } = options;
  const turn = { clock: host.clock, timeoutMs, signal, isAlone: false };
  // who is asked must be who is told: another instance could have something against it, or other names
  await inTurn(modules, turn, () => changeInTurn(host, given.flatMap(byOwner), options));
}

/** As {@link changeModules}, for whoever has the modules' turn. */
export async function changeInTurn(
  host: ChangeHost,
  parts: readonly ChangePart[],
  options: ChangeOptions,
): Promise<void> {
  const { signal, level } = options;
  await Promise.all(parts.map((part) => check(part, options)));
  await programsSettled(host, parts, options);
  if (signal?.aborted) throw cancellation(signal);
  // what is stored of one that has ended may be another's by now
  for (const part of parts) requireOwned(part);
  const atMs = host.clock.now();
  const foreseen = parts.map((part) => foresee(part, atMs));
  const releases = parts.filter(changesProgram).map(({ module }) => module.journal.holdProgram());
  let telling: Promise<readonly PromiseSettledResult<void>[]>;
  try {
    if (level !== 'memory') await commit(host, foreseen, { ...options, level });
    options.onCommit?.(level);
    // what is asked of an owner by those who hear of it on the page comes after it
    telling = Promise.allSettled(foreseen.map((part) => tell(host, part, options)));
    for (const part of foreseen) {
      take(host, part);
      leaveToStore(part, level);
    }
    options.onTake?.();
  } finally {
    for (const release of releases) release();
  }
  const told = await telling;
  const failed = told.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
}

function requireOwned({ module, isDown }: ChangePart): void {
  if (isDown) module.journal.requireOpen();
  else if (module.endedWith) throw module.endedWith;
}

/** What no transaction holds is owed to the store, and histories follow the others. */
function leaveToStore({ module, records, program }: Foreseen, level: AcknowledgementLevel): void {
  const names = records.map(({ name }) => name);
  if (level !== 'memory') return module.journal.touch(names);
  module.journal.late.owe(names);
  if (program) module.journal.late.oweMeta();
}

async function check(
  { module, changes, cause, isChecked }: ChangePart,
  options: ChangeOptions,
): Promise<void> {
  for (const name of Object.keys(changes.values ?? {})) module.journal.parameter(name);
  if (isChecked) return;
  const { timeoutMs, signal } = options;
  const body: ChangesBody = { changes, cause };
  await module.call('changes-check', body, { timeoutMs, signal, isIdempotent: true });
}

/** Whether the record of the program and the memory is written too. */
function changesProgram({ changes, memory, program }: ChangePart): boolean {
  return (
    program !== undefined ||
    memory !== undefined ||
    changes.predictors !== undefined ||
    changes.compiled !== undefined
  );
}

/** Until all have settled in one and the same turn. */
async function programsSettled(
  { clock }: ChangeHost,
  parts: readonly ChangePart[],
  { timeoutMs, signal }: ChangeOptions,
): Promise<void> {
  const isBusy = (): boolean => parts.some(({ module }) => module.journal.isProgramChanging);
  const settled = (): Promise<unknown> =>
    Promise.all(parts.map(({ module }) => module.journal.programSettled()));
  while (isBusy()) await withDeadline(clock, { timeoutMs, signal }, settled);
}

function foresee(part: ChangePart, atMs: number): Foreseen {
  const { journal } = part.module;
  const { values = {}, parameters = {} } = part.changes;
  const stateOf = (name: string): ParameterState => journal.parameter(name).state;
  const states: Record<string, ParameterState> = { ...parameters };
  for (const [name, value] of Object.entries(values)) {
    states[name] = { ...stateOf(name), value, updatedAtMs: atMs };
  }
  const names = Object.keys(states);
  return {
    ...part,
    atMs,
    before: new Map(names.map((name) => [name, stateOf(name)])),
    writes: new Map(),
    overtaken: new Set(),
    records: Object.entries(states).map(([name, state]) => {
      return { name, oldValue: stateOf(name).value, cause: part.cause, atMs, state };
    }),
  };
}

async function commit(
  { committer }: ChangeHost,
  parts: readonly Foreseen[],
  { level, writes, onUnknown }: ChangeOptions & { readonly level: 'relaxed' | 'strict' },
): Promise<void> {
  const foreseen = parts.map(({ module, records, changes, program, memory }) =>
    module.journal.foresee(records, { ...changes, program }, memory),
  );
  for (const { module, records, writes: numbers } of parts)
    for (const { name } of records) numbers.set(name, module.journal.parameter(name).writes);
  const all = foreseen.flatMap((each) => each.writes);
  const committed = committer.commit([...all, ...(writes?.() ?? [])], level);
  try {
    await Promise.all([committed, ...foreseen.map(({ follow }) => follow(committed))]);
  } catch (error) {
    // the store may hold what nobody was promised: what is true goes over it
    if (isCodedError(error, 'state/write-failed')) {
      for (const part of parts) writeBack(part, level);
      onUnknown?.();
    }
    throw error;
  }
}

function writeBack({ module, records, memory, program }: Foreseen, level: 'relaxed' | 'strict'): void {
  for (const { name } of records) void module.journal.late.rewrite(name, level);
  if (memory || program) void module.journal.late.rewriteMeta(level);
}

/** The page has it: a lost worker cannot lose it any more. */
function take(host: ChangeHost, part: Foreseen): void {
  const { module, records, changes, memory, program, before, writes, overtaken } = part;
  const { journal } = module;
  if (memory) journal.remember(memory);
  journal.applyProgram({ ...changes, program });
  if (changes.predictors || changes.compiled) host.onStateChange(module);
  for (const record of records) {
    const { name } = record;
    const cached = journal.parameter(name);
    const now = cached.state;
    if (now !== before.get(name) || (writes.get(name) ?? cached.writes) !== cached.writes)
      overtaken.add(name);
    host.onParameterChange(module, { ...record, oldValue: now.value });
  }
}

/**
 * The owner puts it in; what its own changes or others' had put over it on the page in the meantime is older, and gives way. What it was asked for
 * later it keeps.
 */
async function tell(host: ChangeHost, part: Foreseen, { level }: ChangeOptions): Promise<void> {
  const { module, records, overtaken, program } = part;
  // one that was started again meanwhile may have begun without it; whoever restores its whole program tells it
  const isDown = part.isDown && (module.isOver || program !== undefined);
  const delivered = await (isDown ? undefined : deliver(host.clock, part));
  const { sequence = 0, kept } = delivered ?? {};
  for (const record of delivered ? records : []) {
    if (kept?.has(record.name)) continue;
    const cached = module.journal.parameter(record.name);
    if (cached.isSettled(record.state, sequence)) continue;
    overtaken.add(record.name);
    host.onParameterChange(module, { ...record, oldValue: cached.state.value, sequence });
  }
  const { late } = module.journal;
  // what gave way may have been written, and with that nothing was owed any more
  if (level === 'memory') return late.owe([...overtaken]);
  // the change is committed: a write that follows from it is tried again and told of, and does not undo what was promised
  await Promise.all([...overtaken].map((name) => late.rewrite(name, level)));
}
