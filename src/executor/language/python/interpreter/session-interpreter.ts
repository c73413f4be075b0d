/** The interpreter itself: one session, set up once, and again when it was lost. */
import { CodedError } from '../../../../base/index.ts';
import type { ExecutionContext, Session } from '../../../executor.ts';
import type { GuestValue } from '../../../guest-value.ts';
import type { Outcome, Restored } from '../../../outcome.ts';
import type { Tools } from '../../../tool.ts';
import { InterpreterFiles } from './interpreter-files.ts';
import { createNetworkTool, writeNetworkFunctions } from './interpreter-network.ts';
import { bridgePrefix, bridgeTools, checkPythonName, writeFunctions } from './interpreter-tools.ts';
import { errorOf, shutDown } from './outcome-error.ts';
import type { Aftermath } from './outcome-error.ts';
import type {
  FinalOutput,
  InterpreterResult,
  InterpreterTool,
  PythonInterpreter,
  PythonInterpreterOptions,
  UnsavedFile,
} from './python-interpreter.ts';

const networkTool = `${bridgePrefix}network`;

interface LiveSession {
  readonly session: Session;
  /** Its tools and files are in place. */
  isSetUp: boolean;
  /** It was set up before: another interpreter comes in the place of one that was lost. */
  hadInterpreter: boolean;
  /** What came back, as far as no call has told it. */
  restored: Restored | undefined;
}

export class SessionInterpreter implements PythonInterpreter {
  readonly tools: Readonly<Record<string, InterpreterTool>>;
  readonly executionInstructions: string;
  readonly #options: PythonInterpreterOptions;
  readonly #files: InterpreterFiles;
  readonly #bridges: Tools;
  readonly #setup: { readonly code: string; readonly variables: Readonly<Record<string, GuestValue>> };
  #live: LiveSession | undefined;
  /** Aborted by a shutdown, which makes another one: what was called before it must not touch what comes after. */
  #closing = new AbortController();
  /** Tools that have begun and not come to their first `await`: whoever calls now is one of them. */
  #toolsBeginning = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** Throws as `createPythonInterpreter` says. */
  constructor(options: PythonInterpreterOptions, executionInstructions: string) {
    const { tools = {}, outputFields = [] } = options;
    this.tools = tools;
    this.executionInstructions = executionInstructions;
    this.#options = options;
    this.#files = new InterpreterFiles(options);
    for (const { name } of outputFields) checkPythonName('outputFields', name);
    const network = createNetworkTool(options);
    const bridges = bridgeTools(tools, (work) => this.#insideTool(work));
    this.#bridges = network ? { ...bridges, [networkTool]: network } : bridges;
    const { code, variables } = writeFunctions(tools);
    const functions = network ? code + writeNetworkFunctions(networkTool) : code;
    // under a name of their own: lines in errors are those of the caller's code
    this.#setup = { code: `exec(compile(${JSON.stringify(functions)}, '<tools>', 'exec'))`, variables };
  }

  start(): Promise<void> {
    return this.#inTurn(async (signal) => void (await this.#ready(signal)));
  }

  execute(code: string, variables: Readonly<Record<string, GuestValue>> = {}): Promise<InterpreterResult> {
    return this.#inTurn(async (signal) => {
      const live = await this.#ready(signal);
      refuseAborted(signal);
      const outcome = await live.session.execute(code, { ...this.#context(), variables });
      this.#note(live, outcome);
      const unsavedFiles = await this.#collect(live);
      const { restored } = live;
      live.restored = undefined;
      return resultOf(outcome, { unsavedFiles, isLost: !live.isSetUp, restored });
    });
  }

  async shutdown(): Promise<void> {
    const live = this.#live;
    this.#live = undefined;
    this.#closing.abort();
    this.#closing = new AbortController();
    await live?.session[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #insideTool<T>(work: () => T): T {
    this.#toolsBeginning += 1;
    try {
      return work();
    } finally {
      this.#toolsBeginning -= 1;
    }
  }

  /** One after the other; a tool that calls the interpreter which waits for it would wait for long. */
  #inTurn<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#toolsBeginning > 0) {
      return Promise.reject(
        new CodedError('executor/interpreter-busy', 'a tool cannot use the interpreter that waits for it'),
      );
    }
    const { signal } = this.#closing;
    const result = this.#turn.then(() => work(signal));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #context(): ExecutionContext {
    const { outputFields } = this.#options;
    return {
      tools: this.#bridges,
      ...(outputFields && outputFields.length > 0 ? { submitFields: outputFields } : {}),
    };
  }

  /** Rejects with `executor/python-stopped` when `signal` has aborted. */
  async #ready(signal: AbortSignal): Promise<LiveSession> {
    refuseAborted(signal);
    const live = this.#live ?? (await this.#open(signal));
    if (live.isSetUp) return live;
    const { environment = {}, enableEnvVars = [] } = this.#options;
    const seen = enableEnvVars.filter((name) => Object.hasOwn(environment, name));
    const kept = await this.#keptFiles(live);
    const files = await this.#files.mount(kept);
    refuseAborted(signal);
    const outcome = await live.session.execute(this.#setup.code, {
      tools: this.#bridges,
      variables: this.#setup.variables,
      files,
      environment: Object.fromEntries(seen.map((name) => [name, environment[name] ?? ''])),
    });
    this.#note(live, outcome);
    if (outcome.type !== 'returned') throw errorOf(outcome, { restored: live.restored });
    live.isSetUp = true;
    live.hadInterpreter = true;
    return live;
  }

  /** What an outcome tells of the interpreter. Names of ours are nobody else's loss. */
  #note(live: LiveSession, { isSandboxLost, restored }: Outcome): void {
    if (isSandboxLost) live.isSetUp = false;
    if (!restored) {
      // nothing comes back of what was told before
      if (isSandboxLost) live.restored = undefined;
      return;
    }
    const isTheirs = (name: string): boolean =>
      !name.startsWith(bridgePrefix) && !Object.hasOwn(this.tools, name);
    live.restored = {
      names: restored.names.filter(isTheirs),
      lost: restored.lost.filter(({ name }) => isTheirs(name)),
      missedRuns: restored.missedRuns,
    };
  }

  /** The host's old content must not replace what the code wrote and nobody wrote back. */
  async #keptFiles(live: LiveSession): Promise<ReadonlySet<unknown>> {
    const code = live.hadInterpreter ? this.#files.askKept : undefined;
    if (code === undefined) return new Set();
    const outcome = await live.session.execute(code);
    this.#note(live, outcome);
    if (outcome.type !== 'returned') throw errorOf(outcome, { restored: live.restored });
    return new Set(Array.isArray(outcome.value) ? outcome.value : []);
  }

  async #open(signal: AbortSignal): Promise<LiveSession> {
    const opening = this.#options.executor.createSession();
    const aborted = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const session = await Promise.race([opening, aborted]);
    if (session && !signal.aborted) {
      return (this.#live = { session, isSetUp: false, hadInterpreter: false, restored: undefined });
    }
    opening.then(
      (unwanted) => unwanted[Symbol.asyncDispose](),
      () => undefined,
    );
    throw shutDown();
  }

  /** Files of a guest that is gone are gone with it. */
  async #collect(live: LiveSession): Promise<readonly UnsavedFile[]> {
    if (!live.isSetUp) return [];
    return this.#files.collect(async (code) => {
      const outcome = await live.session.execute(code);
      this.#note(live, outcome);
      return outcome;
    });
  }
}

function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw shutDown();
}

function resultOf(outcome: Outcome, aftermath: Required<Aftermath>): InterpreterResult {
  if (outcome.type !== 'returned' && outcome.type !== 'submitted') throw errorOf(outcome, aftermath);
  const { stdout, stderr, displays = [] } = outcome;
  const { unsavedFiles, restored } = aftermath;
  const final: FinalOutput | undefined = outcome.type === 'submitted' ? { output: outcome.value } : undefined;
  const value = outcome.type === 'returned' ? outcome.value : null;
  // 0, false and the empty are values too
  const output = final ?? (value === null ? stdout : value);
  const parts = { output, value, final, stdout, stderr, displays, unsavedFiles };
  return restored ? { ...parts, restored } : parts;
}
