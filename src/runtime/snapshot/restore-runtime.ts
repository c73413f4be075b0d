/**
 * The whole runtime as of an earlier time: every module that runs says what it would make of its state of then, one transaction holds all of it
 * and what the store has of everybody else, and then every module puts it in.
 */
import { CodedError, isCodedError, toCodedError } from '../../base/index.ts';
import type { ParameterState } from '../../program/index.ts';
import type { StateSource, Write } from '../../state/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import { loadInTurn, withShared } from '../journal/load-whole.ts';
import type { LoadBeside, ModuleLoad } from '../journal/load-whole.ts';
import { writeUntilTaken } from '../journal/late-writes.ts';
import { wholeFamily } from '../journal/whole-state.ts';
import { readRestoreMark, restoreMarkKey } from '../parameter/restore-mark.ts';
import type { HostedSharedParameter } from '../parameter/shared-parameter.ts';
import { sharedIn } from '../parameter/shared-plan.ts';
import { inTurn } from '../parameter/whole-change.ts';
import { isLive, left } from './past-host.ts';
import type { PastHost } from './past-host.ts';
import { readPastState } from './past-state.ts';
import { planStored, undoOf, withPut } from './stored-plan.ts';
import type { StoredPlan } from './stored-plan.ts';
import { readStored, readStoredPast } from './stored-past.ts';
import type { RuntimePast } from './stored-past.ts';

/** What a restore of the whole runtime did. */
export interface RuntimeRestored {
  /** Ids of the modules that run and went back, in order of start; the actors inside them go with them. */
  readonly running: readonly string[];
  /** Ids of the modules that do not run of which something else is stored now. */
  readonly stored: readonly string[];
}

type SharedReturn = ReturnType<HostedSharedParameter['planReturn']>;

/** One restore, for whoever is alone with everybody that is concerned. */
interface Restore {
  readonly host: PastHost;
  readonly past: RuntimePast;
  readonly cause: string;
  readonly atMs: number;
  /** The modules that run, without the actors inside them. */
  readonly roots: readonly HostedModuleRecord[];
  /** What every shared parameter that is open goes back to. */
  readonly returns: ReadonlyMap<HostedSharedParameter, SharedReturn>;
  readonly stored: StoredPlan;
}

/**
 * @throws as `stateAt`, `program/state-invalid`, what the first module that refuses throws, `program/constraint-violated`,
 *   `runtime/module-running-elsewhere`, `state/restore-too-large`, `state/snapshot-contended`, `port/timeout`, and `state/…`: nothing has
 *   changed then. What ended a module after the commit: then it is done
 */
export async function restoreRuntime(host: PastHost, source: StateSource): Promise<RuntimeRestored> {
  const past = await readStoredPast(host.store, source);
  const { clock, limits } = host;
  // what has ended is restored in the store, once it has left; a module may take long to stop: the others go on meanwhile
  await left(host);
  const turn = { clock, timeoutMs: limits.callTimeoutMs, isAlone: true };
  return inTurn([host.host.reading], turn, () =>
    inTurn(host.host.shared.all, turn, () => {
      const concerned = new Set(host.host.modules.filter(isLive).flatMap(wholeFamily));
      return inTurn([...concerned], turn, async () => {
        await left(host);
        return restoreInTurn(await prepare(host, past, `restore to ${source}`));
      });
    }),
  );
}

async function prepare(host: PastHost, past: RuntimePast, cause: string): Promise<Restore> {
  const { modules, shared } = host.host;
  const roots = modules.filter((module) => !module.around && isLive(module));
  const returns = new Map(
    shared.all.map((each) => {
      const stored = past.shared.get(each.name)?.value as ParameterState | undefined;
      return [each, each.planReturn(stored, cause)] as const;
    }),
  );
  const mine = {
    module: new Set(roots.flatMap(wholeFamily).map(({ id }) => id)),
    shared: new Set(shared.all.map(({ name }) => name)),
  };
  const plan = planStored(past, await readStored(host.store), (what, name) => mine[what].has(name));
  const atMs = host.clock.now();
  const mark = { key: restoreMarkKey, value: { atMs } };
  const stored = withPut(plan, mark, await readRestoreMark(host.store));
  return { host, past, cause, atMs, roots, returns, stored };
}

async function restoreInTurn(restore: Restore): Promise<RuntimeRestored> {
  const { host, past, cause, roots, stored } = restore;
  const { clock, limits } = host;
  const change = { clock, timeoutMs: limits.callTimeoutMs, cause, durability: 'strict' } as const;
  const releases: ((() => void) | undefined)[] = [];
  let isCommitted = false;
  try {
    for (const id of stored.ids) releases.push(await host.host.locks.hold(id));
    const loads: ModuleLoad[] = [];
    for (const module of roots) {
      const state = await readPastState((id) => past.modules.get(id) ?? [], module);
      loads.push({ module, state, isPartial: true });
    }
    await loadInTurn(
      host,
      loads,
      change,
      besideOf(restore, () => (isCommitted = true)),
    );
  } catch (error) {
    // before anybody begins with what is stored; what comes after the commit takes nothing of it back
    if (!isCommitted && mayBeIn(error)) await undo(restore);
    throw refusal(error);
  } finally {
    for (const release of releases) release?.();
  }
  return { running: roots.map(({ id }) => id), stored: stored.ids };
}

function besideOf({ host, returns, stored, atMs }: Restore, onCommit: () => void): LoadBeside {
  return {
    // also where the module was not bound at that time
    amend: (module, checked) => withShared(host, module, checked, (shared) => returns.get(shared)),
    plan: (parts) => {
      const bound = sharedIn(host, parts);
      // those that somebody is bound to are set with them
      const others = [...returns].flatMap(([shared, each]) => (bound.has(shared) ? [] : [each]));
      const writes: readonly Write[] = [...others.flatMap((each) => each.writes), ...stored.writes];
      return Promise.resolve({
        writes,
        onCommit: (level) => {
          onCommit();
          others.forEach((each) => each.onCommit(level));
          host.host.shared.all.forEach((shared) => shared.restored(atMs));
        },
        onUnknown: () => others.forEach((each) => each.onUnknown()),
      });
    },
  };
}

function mayBeIn(error: unknown): boolean {
  return isCodedError(error, 'state/write-failed') && error.fields['outcome'] !== 'not-applied';
}

/** Nobody knows whether it is in: what was there before goes over it, but not over what others wrote meanwhile. */
async function undo({ host, stored }: Restore): Promise<void> {
  try {
    await Promise.all(stored.changes.map((changes) => putBack(host, changes)));
  } catch (thrown) {
    const { code, message } = toCodedError(thrown, 'state/write-failed');
    host.hub.emit({ type: 'store-fail', store: host.store.name, error: { code, message } });
  }
}

async function putBack(
  { clock, store, committer }: PastHost,
  changes: StoredPlan['changes'][number],
): Promise<void> {
  try {
    await writeUntilTaken(clock, async () => {
      const writes = await undoOf(store, changes);
      if (writes.length > 0) await committer.commit(writes, 'strict');
    });
  } catch (error) {
    // somebody else has just written
    if (!isCodedError(error, 'state/conflict')) throw error;
  }
}

function refusal(error: unknown): unknown {
  if (isCodedError(error, 'state/conflict')) {
    const text = 'what is restored was written by others meanwhile';
    return new CodedError('state/snapshot-contended', text, { cause: error, isRetryable: true });
  }
  if (!isCodedError(error, 'state/value-too-large') || error.fields['scope'] !== 'commit') return error;
  const { limit = null, unit = null } = error.fields;
  return new CodedError(
    'state/restore-too-large',
    `a restore is one commit, and ${error.message}: restore modules one by one, or open the store with higher limits`,
    { fields: { limit, unit }, cause: error },
  );
}
