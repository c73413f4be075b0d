/** What a supervisor does when children end that nobody asked to end. */
import { addRestart, shouldRestart } from './restart.ts';
import type { Draft } from './supervision-draft.ts';
import { begin, beginShutdown } from './supervision-job.ts';
import type { SupervisionEvent, SupervisionState, Task } from './supervision-state.ts';
import { planRestart } from './supervision-strategy.ts';

/** Notes that children have ended. They are judged when the supervisor has time. */
export function onExit(draft: Draft, event: SupervisionEvent & { type: 'child-exit' }): void {
  const exitOf = new Map(event.exits.map((exit) => [exit.id, exit]));
  const ended = draft.state.children.flatMap((child) => {
    const exit = exitOf.get(child.id);
    return exit && child.status === 'running' ? [{ ...exit, run: child.run, child }] : [];
  });
  for (const { child } of ended) draft.setStatus(child, 'exited');
  if (ended.length === 0 || draft.state.ending) return;
  const exits = ended.map(({ id, isNormal, run }) => ({ id, isNormal, run }));
  draft.set({ inbox: [...draft.state.inbox, { type: 'exit-judge', exits }] });
}

/** The restart table, child by child; what is to be restarted is one failure. */
export function judge(draft: Draft, { exits }: Task & { type: 'exit-judge' }): void {
  const failed: string[] = [];
  let hasSignificantEnded = false;
  for (const { id, run, isNormal } of exits) {
    const child = draft.child(id);
    // a group that was restarted meanwhile took it along
    if (child?.run !== run || child.status !== 'exited') continue;
    const willRestart = shouldRestart(child.restart, isNormal);
    if (willRestart) failed.push(id);
    else draft.order({ type: 'tell-end', id, willRestart });
    hasSignificantEnded ||= child.isSignificant && !willRestart;
    if (child.restart === 'temporary') draft.forget(id);
    else draft.setStatus(child, 'stopped');
  }
  if (hasSignificantEnded && isFinished(draft.state, failed)) return beginShutdown(draft, 'finished');
  fail(draft, failed, true);
}

/** @param failed those that are about to be started again */
function isFinished({ autoShutdown, children }: SupervisionState, failed: readonly string[]): boolean {
  if (autoShutdown !== 'all-significant') return autoShutdown === 'any-significant';
  return !children.some(
    ({ id, isSignificant, status }) => isSignificant && (status !== 'stopped' || failed.includes(id)),
  );
}

/** The restart of what failed together is tried again. */
export function retry(draft: Draft, { cause }: Task & { type: 'child-retry' }): void {
  const failed = draft.state.children.filter((child) => child.cause === cause).map((child) => child.id);
  fail(draft, failed, false);
}

/** One failure adds one entry, however many children it took. */
function fail(draft: Draft, ids: readonly string[], isExit: boolean): void {
  const [first] = ids;
  if (first === undefined) return;
  const { history, isAllowed } = addRestart(draft.state.history, draft.nowSeconds, draft.state.limits);
  draft.set({ history });
  if (!isAllowed) return giveUp(draft, first);
  for (const id of ids) {
    draft.order({ type: 'record', id });
    if (isExit) draft.order({ type: 'tell-end', id, willRestart: true });
  }
  const plan = planRestart(draft.state.strategy, draft.state.children, ids);
  if (draft.state.strategy !== 'one-for-one') return begin(draft, { type: 'restart', ...plan });
  for (const id of plan.toStart) begin(draft, { type: 'restart', toStop: [], toStart: [id] });
}

/** Whether what it has starts again is decided above: nobody is told of an end before that. */
function giveUp(draft: Draft, culprit: string): void {
  draft.order({ type: 'give-up', id: culprit });
  beginShutdown(draft, 'gave-up', culprit);
}
