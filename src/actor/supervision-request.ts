/** What a supervisor answers to those who add, stop, restart and delete children; OTP's replies. */
import type { Draft } from './supervision-draft.ts';
import { begin, cancel, jobAt } from './supervision-job.ts';
import type { ChildState, SupervisionRequest } from './supervision-state.ts';

const isAtRest = ({ status }: ChildState): boolean => status === 'stopped' || status === 'restarting';

function add(draft: Draft, { child, request }: SupervisionRequest & { type: 'child-add' }): void {
  const present = draft.child(child.id);
  if (present) return draft.reply(request, isAtRest(present) ? 'already-present' : 'already-started');
  draft.add({ ...child, status: 'stopped', run: 0 });
  draft.order({ type: 'adopt', id: child.id, request });
  begin(draft, { type: 'add', request, toStop: [], toStart: [child.id] });
}

function stop(draft: Draft, child: ChildState, request: number, isRemoval: boolean): void {
  const interrupted = child.status === 'starting' ? jobAt(draft, child.id) : undefined;
  if (interrupted) cancel(draft, interrupted);
  const refused = interrupted?.request === undefined ? [] : [interrupted.request];
  begin(draft, { type: 'terminate', request, refused, isRemoval, toStop: [child.id], toStart: [] });
}

/** Answers `running` or `restarting` when the child is not at rest. */
function requireRest(draft: Draft, child: ChildState, request: number): boolean {
  if (child.status === 'stopped') return true;
  const isRestarting = child.status === 'restarting' || jobAt(draft, child.id)?.type === 'restart';
  draft.reply(request, isRestarting ? 'restarting' : 'running');
  return false;
}

/** Performs one request. */
export function onRequest(draft: Draft, asked: SupervisionRequest): void {
  if (asked.type === 'child-add') return add(draft, asked);
  const { request } = asked;
  const child = draft.child(asked.id);
  if (!child) return draft.reply(request, asked.type === 'child-remove' ? 'done' : 'not-found');
  if (asked.type === 'child-terminate' || asked.type === 'child-remove') {
    return stop(draft, child, request, asked.type === 'child-remove');
  }
  if (!requireRest(draft, child, request)) return;
  if (asked.type === 'child-restart') {
    return begin(draft, { type: 'start', request, toStop: [], toStart: [child.id] });
  }
  draft.forget(child.id);
  draft.reply(request, 'done');
}
