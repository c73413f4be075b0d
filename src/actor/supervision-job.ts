/** Work of several steps: one child after the other is stopped, then one after the other started. */
import type { Draft } from './supervision-draft.ts';
import type { ChildState, Ending, Job, SupervisionEvent } from './supervision-state.ts';

/** Begins a job and takes it as far as it goes without waiting. */
export function begin(draft: Draft, job: Job): void {
  draft.set({ jobs: [...draft.state.jobs, job] });
  advance(draft, job);
}

/** The job that waits for this child. */
export function jobAt(draft: Draft, id: string): Job | undefined {
  return draft.state.jobs.find((job) => job.at === id);
}

/** Ends a job before its time. */
export function cancel(draft: Draft, job: Job): void {
  draft.set({ jobs: draft.state.jobs.filter((other) => other !== job) });
}

/** Stops everything, last started first, then ends. What was under way is dropped. */
export function beginShutdown(draft: Draft, ending: Ending, culprit?: string): void {
  const { jobs, inbox, children } = draft.state;
  const refused = [
    ...jobs.flatMap((job) => [...(job.refused ?? []), ...(job.request === undefined ? [] : [job.request])]),
    ...inbox.flatMap((task) => ('request' in task ? [task.request] : [])),
  ];
  draft.set({ ending, jobs: [], inbox: [], ...(culprit === undefined ? {} : { culprit }) });
  const toStop = children.map((child) => child.id).toReversed();
  begin(draft, { type: 'shutdown', toStop, toStart: [], refused });
}

/** Takes a job as far as it goes without waiting. */
function advance(draft: Draft, job: Job): void {
  let next: Job | undefined = job;
  while (next) next = step(draft, next);
}

/** Answers the job as it goes on, or nothing when it waits or is done. */
function step(draft: Draft, job: Job): Job | undefined {
  const [stopping] = job.toStop;
  if (stopping !== undefined) {
    return stopNext(draft, replace(draft, job, { ...job, at: stopping, toStop: job.toStop.slice(1) }));
  }
  const [starting] = job.toStart;
  if (starting !== undefined) {
    return startNext(draft, replace(draft, job, { ...job, at: starting, toStart: job.toStart.slice(1) }));
  }
  finish(draft, job);
  return undefined;
}

function finish(draft: Draft, job: Job): void {
  cancel(draft, job);
  const { ending } = draft.state;
  for (const request of job.refused ?? []) draft.reply(request, ending ? 'refused' : 'cut-short');
  draft.reply(job.request, 'done');
  if (!ending) return;
  draft.set({ hasEnded: true });
  draft.order({ type: 'end', ending, isNormal: true });
}

type JobAt = Job & { readonly at: string };

function replace(draft: Draft, job: Job, next: JobAt): JobAt {
  draft.set({ jobs: draft.state.jobs.map((other) => (other === job ? next : other)) });
  return next;
}

function stopNext(draft: Draft, job: JobAt): Job | undefined {
  const child = draft.child(job.at);
  if (!child) return job;
  if (child.status === 'stopping') return undefined;
  if (child.status !== 'running' && child.status !== 'starting') {
    passStopped(draft, job, child);
    return job;
  }
  draft.setStatus(child, 'stopping');
  draft.order({ type: 'stop', id: child.id, run: child.run });
  return undefined;
}

/** The child does not run any more, or did not run at all. */
function passStopped(draft: Draft, job: Job, child: ChildState): void {
  const isGone = job.type !== 'shutdown' && (child.restart === 'temporary' || job.isRemoval);
  const hasRun = child.status === 'stopping' || child.status === 'exited';
  if (job.type === 'restart' && hasRun) draft.order({ type: 'tell-end', id: child.id, willRestart: !isGone });
  if (isGone) draft.forget(child.id);
  else if (child.status !== 'stopped') draft.setStatus(child, 'stopped');
}

function startNext(draft: Draft, job: JobAt): Job | undefined {
  const child = draft.child(job.at);
  if (!child) return job;
  const run = draft.state.nextRun;
  draft.set({ nextRun: run + 1 });
  draft.setStatus({ ...child, run }, 'starting');
  draft.order({ type: 'start', id: child.id, run });
  return undefined;
}

/** A start has succeeded. One that was overtaken by a stop is over when the stop is. */
export function onStart(draft: Draft, event: SupervisionEvent & { type: 'child-start' }): void {
  const child = draft.child(event.id);
  if (child?.run !== event.run || child.status !== 'starting') return;
  draft.setStatus(child, 'running');
  if (draft.state.ending) return;
  draft.order({ type: 'announce', id: child.id });
  const job = jobAt(draft, child.id);
  if (job) advance(draft, job);
}

/** A start has failed: the first start of all undoes itself, a request is told, a restart is tried again. */
export function onFail(draft: Draft, event: SupervisionEvent & { type: 'child-fail' }): void {
  const child = draft.child(event.id);
  if (child?.run !== event.run || child.status !== 'starting') return;
  draft.setStatus(child, 'stopped');
  const job = jobAt(draft, child.id);
  if (!job) return;
  if (job.type === 'first-start') return beginShutdown(draft, 'start-failed', child.id);
  cancel(draft, job);
  if (job.type === 'restart') return tryAgain(draft, child, event.cause);
  draft.reply(job.request, 'start-failed');
  if (job.type === 'add') draft.forget(child.id);
}

/** In between others have their turn. What failed together is tried together, and counts once. */
function tryAgain(draft: Draft, child: ChildState, cause: number): void {
  const isAwaited = draft.state.children.some((other) => other.cause === cause);
  draft.put({ ...child, status: 'restarting', cause });
  if (!isAwaited) draft.order({ type: 'retry', cause });
}

/** A stop is done. */
export function onStop(draft: Draft, event: SupervisionEvent & { type: 'child-stop' }): void {
  const child = draft.child(event.id);
  if (child?.run !== event.run || child.status !== 'stopping') return;
  const job = jobAt(draft, child.id);
  if (!job) return draft.setStatus(child, 'stopped');
  passStopped(draft, job, child);
  advance(draft, job);
}
