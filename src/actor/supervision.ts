/**
 * What a supervisor decides: state and event in, state and effects out. It performs nothing.
 *
 * As OTP's supervisor it does one thing at a time: what comes while children are stopped or started waits in its inbox.
 * Under one-for-one children do not depend on each other, so there each child waits for itself alone.
 */
import { Draft } from './supervision-draft.ts';
import { judge, onExit, retry } from './supervision-failure.ts';
import { begin, beginShutdown, onFail, onStart, onStop } from './supervision-job.ts';
import { onRequest } from './supervision-request.ts';
import type { Decision, SupervisionEvent, SupervisionState, Task } from './supervision-state.ts';

/** Whether nothing that is under way concerns this task. */
function hasTimeFor(state: SupervisionState, task: Task): boolean {
  if (state.strategy !== 'one-for-one') return state.jobs.length === 0;
  if (state.jobs.some((job) => job.type === 'first-start')) return false;
  if (task.type === 'exit-judge' || task.type === 'child-retry') return true;
  const id = task.type === 'child-add' ? task.child.id : task.id;
  return !state.children.some((child) => child.id === id && child.status === 'stopping');
}

function perform(draft: Draft, task: Task): void {
  if (task.type === 'exit-judge') judge(draft, task);
  else if (task.type === 'child-retry') retry(draft, task);
  else onRequest(draft, task);
}

/** Does what there is time for, oldest first. */
function turn(draft: Draft): void {
  for (;;) {
    const task = draft.state.inbox.find((waiting) => hasTimeFor(draft.state, waiting));
    if (!task) return;
    draft.set({ inbox: draft.state.inbox.filter((waiting) => waiting !== task) });
    perform(draft, task);
  }
}

function firstStart(draft: Draft, event: SupervisionEvent & { type: 'first-start' }): void {
  const toStart = event.children.map((child) => child.id);
  for (const child of event.children) draft.add({ ...child, status: 'stopped', run: 0 });
  begin(draft, { type: 'first-start', request: event.request, toStop: [], toStart });
}

function take(draft: Draft, event: SupervisionEvent): void {
  switch (event.type) {
    case 'first-start':
      return firstStart(draft, event);
    case 'child-start':
      return onStart(draft, event);
    case 'child-fail':
      return onFail(draft, event);
    case 'child-stop':
      return onStop(draft, event);
    case 'child-exit':
      return onExit(draft, event);
    case 'shutdown-ask':
      return draft.state.ending ? undefined : beginShutdown(draft, 'asked');
    case 'inbox-turn':
      return;
    case 'child-retry':
    case 'child-add':
    case 'child-terminate':
    case 'child-remove':
    case 'child-restart':
    case 'child-delete':
      draft.set({ inbox: [...draft.state.inbox, event] });
  }
}

/**
 * The whole of a supervisor's judgement. Once it ends it refuses every request and judges nothing any more.
 * @param nowSeconds whole seconds of a monotonic clock
 */
export function decide(state: SupervisionState, event: SupervisionEvent, nowSeconds: number): Decision {
  if (state.ending && 'request' in event) {
    return [state, [{ type: 'reply', request: event.request, answer: 'refused' }]];
  }
  const draft = new Draft(state, nowSeconds);
  take(draft, event);
  if (event.type !== 'child-exit' && !draft.state.ending) turn(draft);
  return draft.decision;
}
