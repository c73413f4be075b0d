/** The page's executor, asked from workers: only the page can hold sandbox frames. */
import { CodedError } from '../../base/index.ts';
import type {
  Code,
  DisplayValue,
  ExecutionContext,
  Executor,
  Outcome,
  OutputPart,
  Session,
} from '../../executor/index.ts';
import { randomHex, systemRandom } from '../../platform/index.ts';
import { isWireError } from '../../port/index.ts';
import type { IncomingCall } from '../../port/index.ts';
import { checkBody, memberChecks, requireOwner, unknownMethod } from './page-service.ts';
import type { MemberCheck, PageService } from './page-service.ts';
import { areToolEntries, RemoteTools } from './remote-tools.ts';
import type { ToolAnswered, ToolAsked, ToolEntry } from './remote-tools.ts';

export const executorService = 'executor';

export interface ExecuteBody {
  readonly code: Code;
  readonly context?: ExecutionContext | undefined;
  readonly timeoutMs?: number | undefined;
  readonly outputs?: readonly string[] | undefined;
  /** Runs in this session; without it in a fresh sandbox. */
  readonly session?: string | undefined;
  /** The actor that asks; a session runs for its owner alone. */
  readonly owner: string;
  /** Which start of it. */
  readonly incarnation: number;
  /** Names the run for `execution-cancel`. */
  readonly execution: string;
  /** It was cancelled before it was asked for. */
  readonly isCancelled: boolean;
  /** Instead of the context's tools, which cannot cross. */
  readonly tools?: readonly ToolEntry[] | undefined;
  /** Somebody listens to rich values while the code runs; the outcome has them all the same. */
  readonly wantsDisplays?: boolean | undefined;
}

/** What the worker hears while its run goes on. */
export type ExecutionNews =
  | ({ readonly type: 'output' } & OutputPart)
  | { readonly type: 'display'; readonly value: DisplayValue }
  | ToolAsked;

/** The answer to a tool's call. */
export interface ToolAnswerBody extends ToolAnswered {
  readonly owner: string;
  readonly incarnation: number;
  readonly execution: string;
}

export interface SessionBody {
  /** The actor that owns the session: it ends with its owner. */
  readonly owner: string;
  /** Which start of it. */
  readonly incarnation: number;
  readonly session?: string | undefined;
}

export interface ExecutorService {
  readonly service: PageService;
  /** Disposes the sessions of an actor that ended, and cancels what still runs for it. */
  releaseOwner(owner: string): void;
  /** Waits for the disposals that have begun. */
  settled(): Promise<void>;
}

/** Nobody can guess an id of so many random bytes: whoever has it got it from here. */
const sessionIdBytes = 16;

interface Held {
  readonly owner: string;
  readonly session: Session;
}

/** A session that is being opened, and whether its owner ended meanwhile. */
interface Opening {
  readonly owner: string;
  isOrphaned: boolean;
}

class Sessions {
  readonly #held = new Map<string, Held>();
  readonly #openings = new Set<Opening>();
  readonly #endings = new Set<Promise<void>>();

  async open(owner: string, executor: Executor): Promise<string> {
    const opening: Opening = { owner, isOrphaned: false };
    this.#openings.add(opening);
    try {
      const session = await executor.createSession();
      const id = `session-${randomHex(systemRandom, sessionIdBytes)}`;
      this.#held.set(id, { owner, session });
      if (!opening.isOrphaned) return id;
      await this.end(id, owner);
    } finally {
      this.#openings.delete(opening);
    }
    throw new CodedError('actor/peer-died', `actor "${owner}" ended before its session began`, {
      fields: { actor: owner },
    });
  }

  /** Another's session is not there: who asks for it learns nothing. */
  get(id: string, owner: string): Session {
    const held = this.#held.get(id);
    if (held?.owner === owner) return held.session;
    throw sessionNotFound(id);
  }

  /** Ending it twice is harmless. */
  async end(id: string, owner: string): Promise<void> {
    const held = this.#held.get(id);
    if (held && held.owner !== owner) throw sessionNotFound(id);
    this.#held.delete(id);
    await held?.session[Symbol.asyncDispose]();
  }

  endOf(owner: string): void {
    for (const opening of this.#openings) if (opening.owner === owner) opening.isOrphaned = true;
    for (const [id, held] of this.#held) if (held.owner === owner) this.#endBehind(id, owner);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#endings);
  }

  /** Nobody waits for it, and a session that cannot be ended is its executor's to report. */
  #endBehind(id: string, owner: string): void {
    const ending = this.end(id, owner)
      .catch(() => undefined)
      .finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
  }
}

function sessionNotFound(id: string): CodedError {
  return new CodedError(
    'executor/session-not-found',
    `there is no sandbox session "${id}"; it may have ended with its owner`,
    { fields: { session: id } },
  );
}

interface Running {
  readonly owner: string;
  readonly cancelled: AbortController;
  readonly tools: RemoteTools;
}

/** What runs for workers now, by worker and name. Its number is the executor's to bound. */
class Executions {
  readonly #running = new Map<string, Running>();

  async run(call: IncomingCall, worker: string, target: Pick<Executor, 'execute'>): Promise<Outcome> {
    const body = call.body as ExecuteBody;
    const { code, context, timeoutMs, outputs, owner, execution, isCancelled } = body;
    const tell = (news: ExecutionNews): void => void call.delta(news);
    const tools = new RemoteTools(body.tools ?? [], tell);
    const name = `${worker} ${execution}`;
    const cancelled = new AbortController();
    if (isCancelled) cancelled.abort();
    this.#running.set(name, { owner, cancelled, tools });
    const given = body.tools ? { ...context, tools: tools.tools } : context;
    try {
      return await target.execute(code, given, {
        signal: AbortSignal.any([call.signal, cancelled.signal]),
        onOutput: (part) => tell({ type: 'output', ...part }),
        ...(body.wantsDisplays ? { onDisplay: (value) => tell({ type: 'display', value }) } : {}),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(outputs ? { outputs } : {}),
      });
    } finally {
      this.#running.delete(name);
    }
  }

  cancel(execution: string, worker: string): void {
    this.#running.get(`${worker} ${execution}`)?.cancelled.abort();
  }

  /** Its owner's alone; one for a run that is over comes too late. */
  answer(body: ToolAnswerBody, worker: string): void {
    const running = this.#running.get(`${worker} ${body.execution}`);
    if (running?.owner === body.owner) running.tools.answer(body);
  }

  cancelOf(owner: string): void {
    for (const running of this.#running.values()) if (running.owner === owner) running.cancelled.abort();
  }
}

const { text, flag, count, timeLimit } = memberChecks;
const ownerChecks = { owner: text, incarnation: count };
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** What the service reads itself; what is in the code and the context is the executor's to look at. */
const checks: Readonly<Record<string, Readonly<Record<string, MemberCheck>>>> = {
  execute: {
    ...ownerChecks,
    execution: text,
    isCancelled: flag,
    timeoutMs: timeLimit,
    session: [(value) => value === undefined || typeof value === 'string', 'the id of a session, or nothing'],
    context: [(value) => value === undefined || isObject(value), 'an object, or nothing'],
    outputs: [(value) => value === undefined || isTexts(value), 'a list of texts, or nothing'],
    tools: [areToolEntries, 'a list of names and descriptions, or nothing'],
    wantsDisplays: [(value) => value === undefined || typeof value === 'boolean', 'true, false or nothing'],
  },
  'tool-answer': {
    ...ownerChecks,
    execution: text,
    call: count,
    failure: [(value) => value === undefined || isWireError(value), 'an error, or nothing'],
  },
  'execution-cancel': { execution: text },
  'session-create': ownerChecks,
  'session-interrupt': { ...ownerChecks, session: text },
  'session-end': { ...ownerChecks, session: text },
};

/** @param current the executor of this page, if it has one */
export function createExecutorService(current: () => Executor | undefined): ExecutorService {
  const sessions = new Sessions();
  const executions = new Executions();
  const required = (): Executor => {
    const executor = current();
    if (executor) return executor;
    throw new CodedError(
      'runtime/executor-missing',
      'this runtime was given no executor; pass one to createRuntime',
    );
  };
  const service: PageService = async (call, source) => {
    const expected = Object.hasOwn(checks, call.method) ? checks[call.method] : undefined;
    if (!expected) throw unknownMethod(executorService, call.method);
    checkBody(executorService, call.body, expected);
    const body = call.body as ExecuteBody & SessionBody;
    if (call.method !== 'execution-cancel') requireOwner(executorService, body, source);
    switch (call.method) {
      case 'execute':
        return executions.run(
          call,
          source.worker,
          body.session === undefined ? required() : sessions.get(body.session, body.owner),
        );
      case 'execution-cancel':
        return executions.cancel(body.execution, source.worker);
      case 'tool-answer':
        return executions.answer(call.body as ToolAnswerBody, source.worker);
      case 'session-create':
        return sessions.open(body.owner, required());
      case 'session-interrupt':
        return sessions.get(String(body.session), body.owner).interrupt();
      case 'session-end':
        return sessions.end(String(body.session), body.owner);
      default:
        throw unknownMethod(executorService, call.method);
    }
  };
  return {
    service,
    releaseOwner(owner) {
      sessions.endOf(owner);
      executions.cancelOf(owner);
    },
    settled: () => sessions.settled(),
  };
}
