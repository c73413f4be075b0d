/** The page's executor, asked from workers: only the page can hold sandbox frames. */
import { CodedError } from '../../base/index.ts';
import type { ExecutionContext, Executor, Outcome, Session } from '../../executor/index.ts';
import type { IncomingCall } from '../../port/index.ts';
import { unknownMethod } from './page-service.ts';
import type { PageService } from './page-service.ts';

export const executorService = 'executor';

export interface ExecuteBody {
  readonly code: string;
  readonly context?: ExecutionContext | undefined;
  readonly timeoutMs?: number | undefined;
  readonly outputs?: readonly string[] | undefined;
  /** Runs in this session; without it in a fresh sandbox. */
  readonly session?: string | undefined;
}

export interface SessionBody {
  /** The actor that owns the session: it ends with its owner. */
  readonly owner: string;
  readonly session?: string | undefined;
}

export interface ExecutorService {
  readonly service: PageService;
  /** Disposes the sessions of an actor that ended. */
  releaseOwner(owner: string): void;
}

interface Held {
  readonly owner: string;
  readonly session: Session;
}

class Sessions {
  readonly #held = new Map<string, Held>();
  #next = 1;

  add(owner: string, session: Session): string {
    const id = `session-${this.#next++}`;
    this.#held.set(id, { owner, session });
    return id;
  }

  get(id: string): Session {
    const held = this.#held.get(id);
    if (held) return held.session;
    throw new CodedError(
      'executor/session-not-found',
      `there is no sandbox session "${id}"; it may have ended with its owner`,
      {
        fields: { session: id },
      },
    );
  }

  async end(id: string): Promise<void> {
    const held = this.#held.get(id);
    this.#held.delete(id);
    await held?.session[Symbol.asyncDispose]();
  }

  endOf(owner: string): void {
    for (const [id, held] of this.#held) if (held.owner === owner) void this.end(id);
  }
}

function execute(call: IncomingCall, target: Pick<Executor, 'execute'>): Promise<Outcome> {
  const { code, context, timeoutMs, outputs } = call.body as ExecuteBody;
  return target.execute(code, context, {
    signal: call.signal,
    onOutput: (part) => void call.delta(part),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(outputs ? { outputs } : {}),
  });
}

/** @param current the executor of this page, if it has one */
export function createExecutorService(current: () => Executor | undefined): ExecutorService {
  const sessions = new Sessions();
  const service: PageService = async (call) => {
    const executor = current();
    if (!executor) {
      throw new CodedError(
        'runtime/executor-missing',
        'this runtime was given no executor; pass one to createRuntime',
      );
    }
    const body = call.body as ExecuteBody & SessionBody;
    switch (call.method) {
      case 'execute':
        return execute(call, body.session === undefined ? executor : sessions.get(body.session));
      case 'session-create':
        return sessions.add(body.owner, await executor.createSession());
      case 'session-interrupt':
        return sessions.get(String(body.session)).interrupt();
      case 'session-end':
        return sessions.end(String(body.session));
      default:
        throw unknownMethod(executorService, call.method);
    }
  };
  return { service, releaseOwner: (owner) => sessions.endOf(owner) };
}
