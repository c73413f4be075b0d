/** How an owner gets what is committed. */
import { messageOf } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Mode } from '../../program/index.ts';
import { askUntilTaken } from '../host/ask-until-taken.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import { whyOver } from '../host/module-supervisors.ts';
import type {
  ChangesApplied,
  ChangesApplyBody,
  CheckedState,
  OwnerBehindBody,
  ParameterRecord,
  StateLoadBody,
} from '../module-protocol.ts';
import type { ChangePart } from './change-together.ts';
import { withoutParameters } from './without-parameters.ts';

/** A part that is committed. */
interface Committed extends ChangePart {
  readonly atMs: number;
  readonly records: readonly ParameterRecord[];
}

type Delivery =
  | { readonly method: 'changes-apply'; readonly body: ChangesApplyBody }
  | { readonly method: 'state-load'; readonly body: StateLoadBody }
  | { readonly method: 'mode-set'; readonly body: Mode };

/** When the owner put it in. */
export interface Delivered {
  readonly sequence: number;
  /** Parameters that it was asked to change later: those stay. */
  readonly kept: ReadonlySet<string>;
}

/**
 * What is committed has its owner's turn in the end: it is asked until it has taken it, or is over. What it was asked for later it keeps. One that
 * restarts meanwhile starts with it. One that refuses what it had agreed to is started again from what is stored.
 * @returns undefined for one that has it from its start, now or later
 * @throws what ended the module
 */
export async function deliver(clock: Clock, part: Committed): Promise<Delivered | undefined> {
  const { module, records } = part;
  const order = module.asks.open(records.map(({ name }) => name));
  try {
    const applied = await hand(clock, part, order);
    if (!applied) return undefined;
    return {
      sequence: applied.sequence,
      kept: new Set([...applied.kept, ...outdatedOf(part, order)]),
    };
  } finally {
    module.endAsk(order);
  }
}

async function hand(clock: Clock, part: Committed, order: number): Promise<ChangesApplied | undefined> {
  const { module, program, isDown } = part;
  const { restarts, incarnation } = module;
  const { method } = deliveryOf(part, order, incarnation);
  const bodyOf = (): Delivery['body'] => deliveryOf(part, order, incarnation).body;
  try {
    return (await askUntilTaken(clock, module, method, bodyOf)) as ChangesApplied | undefined;
  } catch (error) {
    // a part that has ended takes it when it is started again, with the program around it
    if ((program || isDown) && module.around && module.isOver) return undefined;
    if (module.isOver || whyOver(module.supervisor)) throw error;
    return startAgain(module, restarts, error);
  }
}

/**
 * For an owner that does not take what is committed: it begins with it.
 * @param restarts as they were when all of it was committed: one that was restarted since has begun with it
 * @throws what ended it
 */
export async function startAgain(
  module: HostedModuleRecord,
  restarts: number,
  refusal: unknown,
): Promise<undefined> {
  const body: OwnerBehindBody = { reason: messageOf(refusal) };
  // one that is only being started would not hear of it, and may have begun with what was there before
  await module.reached(restarts);
  if (module.restarts === restarts) module.tell('owner-behind', body);
  await module.restarted(restarts);
  if (module.endedWith) throw module.endedWith;
}

/**
 * Without what later changes of the page go over: those are handed over themselves.
 * @param incarnation the start of the module that ran as the page took it over: a later one begins with it
 */
function deliveryOf(part: Committed, order: number, incarnation: number): Delivery {
  const { module, changes, cause, atMs, program } = part;
  if (program && 'mode' in program) return { method: 'mode-set', body: program.mode };
  const outdated = outdatedOf(part, order);
  const meant = { order, incarnation };
  if (program)
    return { method: 'state-load', body: { ...newestOf(module, program.whole, outdated), ...meant } };
  const left = { ...withoutParameters(changes, outdated), atMs };
  return { method: 'changes-apply', body: { changes: left, cause, ...meant } };
}

function outdatedOf({ module, records }: Committed, order: number): ReadonlySet<string> {
  return new Set(records.map(({ name }) => name).filter((name) => module.asks.isOutdated(name, order)));
}

/** A state is put in whole: what is newer goes with it. */
function newestOf(
  module: HostedModuleRecord,
  whole: CheckedState,
  outdated: ReadonlySet<string>,
): CheckedState {
  const newer = [...outdated].flatMap((name) => {
    const cached = module.journal.parameters.get(name);
    return cached ? [[name, cached.state] as const] : [];
  });
  if (newer.length === 0) return whole;
  const parameters = { ...whole.state.parameters, ...Object.fromEntries(newer) };
  return { ...whole, state: { ...whole.state, parameters } };
}
