/** The worker's side of the page's executor. */
import type { ActorContext } from '../../actor/index.ts';
import { randomHex, systemRandom } from '../../platform/index.ts';
import { freezeGuestValue } from '../../executor/index.ts';
import type {
  Code,
  ExecutionContext,
  ExecutionOptions,
  Executor,
  GuestValue,
  Outcome,
  Session,
} from '../../executor/index.ts';
import { executorService } from './executor-service.ts';
import type { ExecuteBody, ExecutionNews, SessionBody } from './executor-service.ts';
import { describeTools, ToolServer } from './tool-server.ts';

/** The executor and the page end every run by their own limits. */
const unlimited = { timeoutMs: Infinity };

/** A cancelled run still has an outcome, so the call goes on: the page is asked to cancel what it runs. */
async function execute(
  context: ActorContext,
  body: Pick<ExecuteBody, 'code' | 'context' | 'session'>,
  options: ExecutionOptions,
): Promise<Outcome> {
  const { timeoutMs, outputs, signal, onDisplay } = options;
  const execution = randomHex(systemRandom, 8);
  const isCancelled = signal?.aborted ?? false;
  const { actor: owner, incarnation } = context;
  const { tools, ...given } = body.context ?? {};
  const server = new ToolServer(context, tools ?? {}, execution);
  const request: ExecuteBody = {
    ...body,
    owner,
    incarnation,
    timeoutMs,
    outputs,
    execution,
    isCancelled,
    context: body.context && given,
    tools: tools && describeTools(tools),
    wantsDisplays: onDisplay !== undefined,
  };
  const onAbort = (): void =>
    void context
      .callPage(executorService, 'execution-cancel', { execution }, unlimited)
      .catch(() => undefined);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const outcome = await context.callPage(executorService, 'execute', request, {
      ...unlimited,
      onDelta: (news) => hear(news as ExecutionNews, options, server),
    });
    return restore(outcome as Outcome);
  } finally {
    server.end();
    signal?.removeEventListener('abort', onAbort);
  }
}

function hear(news: ExecutionNews, { onOutput, onDisplay }: ExecutionOptions, server: ToolServer): void {
  switch (news.type) {
    case 'output':
      return tell(onOutput, { stream: news.stream, text: news.text });
    case 'display':
      return tell(onDisplay, freezeGuestValue(news.value as GuestValue) as typeof news.value);
    case 'tool-call':
      return void server.serve(news);
  }
}

/** The way here cloned the values; a program gets them as they left the sandbox. */
function restore(cloned: Outcome): Outcome {
  const displays = cloned.displays?.map((value) => freezeGuestValue(value as GuestValue) as typeof value);
  const outcome = displays ? { ...cloned, displays } : cloned;
  if (outcome.type === 'submitted') return { ...outcome, value: freezeGuestValue(outcome.value) };
  if (outcome.type !== 'returned') return outcome;
  const { value, variables } = outcome;
  return { ...outcome, value: freezeGuestValue(value), variables: freezeGuestValue(variables) };
}

/** A listener that throws harms nobody. */
function tell<T>(listener: ((part: T) => void) | undefined, part: T): void {
  try {
    listener?.(part);
  } catch {
    // the program's own listener: the run goes on
  }
}

async function createSession(context: ActorContext): Promise<Session> {
  const owner: SessionBody = { owner: context.actor, incarnation: context.incarnation };
  const session = (await context.callPage(executorService, 'session-create', owner, unlimited)) as string;
  const named: SessionBody = { ...owner, session };
  return {
    id: session as Session['id'],
    execute: (code, executionContext, options = {}) =>
      execute(context, { code, session, context: executionContext }, options),
    interrupt: () =>
      void context.callPage(executorService, 'session-interrupt', named).catch(() => undefined),
    async [Symbol.asyncDispose]() {
      await context.callPage(executorService, 'session-end', named, unlimited);
    },
  };
}

/** What a worker is told of the page's executor. */
type ExecutorTraits = Pick<Executor, 'language' | 'capabilities'>;

/** @param traits of the page's executor */
export function createExecutorProxy(
  context: ActorContext,
  { language, capabilities }: ExecutorTraits,
): Executor {
  return {
    language,
    capabilities: Object.freeze({ ...capabilities }),
    execute: (code: Code, executionContext?: ExecutionContext, options: ExecutionOptions = {}) =>
      execute(context, { code, context: executionContext }, options),
    createSession: () => createSession(context),
    // the page owns the executor; what this realm holds are its sessions
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
