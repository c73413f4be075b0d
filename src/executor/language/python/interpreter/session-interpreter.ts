/** The interpreter itself: one session, set up once, and again when it was lost. */
import { CodedError } from '../../../../base/index.ts';
import type { ExecutionContext, Session } from '../../../executor.ts';
import type { GuestValue } from '../../../guest-value.ts';
import type { Outcome } from '../../../outcome.ts';
import type { Tools } from '../../../tool.ts';
import { InterpreterFiles } from './interpreter-files.ts';
import { createNetworkTool, writeNetworkFunctions } from './interpreter-network.ts';
import { bridgePrefix, bridgeTools, checkPythonName, writeFunctions } from './interpreter-tools.ts';
import { errorOf } from './outcome-error.ts';
import type {
  FinalOutput,
  InterpreterResult,
  InterpreterTool,
  PythonInterpreter,
  PythonInterpreterOptions,
} from './python-interpreter.ts';

const networkTool = `${bridgePrefix}network`;

export class SessionInterpreter implements PythonInterpreter {
  readonly tools: Readonly<Record<string, InterpreterTool>>;
  readonly executionInstructions: string;
  readonly #options: PythonInterpreterOptions;
  readonly #files: InterpreterFiles;
  readonly #bridges: Tools;
  readonly #setup: { readonly code: string; readonly variables: Readonly<Record<string, GuestValue>> };
  #session: Session | undefined;
  #isSetUp = false;
  #toolsRunning = 0;
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
    const bridges = bridgeTools(tools, (change) => (this.#toolsRunning += change));
    this.#bridges = network ? { ...bridges, [networkTool]: network } : bridges;
    const { code, variables } = writeFunctions(tools);
    const functions = network ? code + writeNetworkFunctions(networkTool) : code;
    // under a name of their own: lines in errors are those of the caller's code
    this.#setup = { code: `exec(compile(${JSON.stringify(functions)}, '<tools>', 'exec'))`, variables };
  }

  start(): Promise<void> {
    return this.#inTurn(async () => void (await this.#ready()));
  }

  execute(code: string, variables: Readonly<Record<string, GuestValue>> = {}): Promise<InterpreterResult> {
    return this.#inTurn(async () => {
      const session = await this.#ready();
      const outcome = await session.execute(code, { ...this.#context(), variables });
      this.#isSetUp = !outcome.isSandboxLost;
      await this.#collect(session);
      return resultOf(outcome);
    });
  }

  async shutdown(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#isSetUp = false;
    await session?.[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** One after the other; a tool that calls the interpreter which waits for it would wait for ever. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#toolsRunning > 0) {
      return Promise.reject(
        new CodedError('executor/interpreter-busy', 'a tool cannot use the interpreter that waits for it'),
      );
    }
    const result = this.#turn.then(work);
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

  async #ready(): Promise<Session> {
    this.#session ??= await this.#options.executor.createSession();
    if (this.#isSetUp) return this.#session;
    const { environment = {}, enableEnvVars = [] } = this.#options;
    const seen = enableEnvVars.filter((name) => Object.hasOwn(environment, name));
    const outcome = await this.#session.execute(this.#setup.code, {
      tools: this.#bridges,
      variables: this.#setup.variables,
      files: await this.#files.mount(),
      environment: Object.fromEntries(seen.map((name) => [name, environment[name] ?? ''])),
    });
    if (outcome.type !== 'returned') throw errorOf(outcome);
    this.#isSetUp = true;
    return this.#session;
  }

  /** Files of a guest that is gone are gone with it. */
  async #collect(session: Session): Promise<void> {
    const code = this.#files.collectingCode;
    if (!this.#isSetUp || code === undefined) return;
    const outcome = await session.execute(code);
    this.#isSetUp = !outcome.isSandboxLost;
    if (outcome.type !== 'returned') throw errorOf(outcome);
    await this.#files.store(outcome.value);
  }
}

function resultOf(outcome: Outcome): InterpreterResult {
  if (outcome.type !== 'returned' && outcome.type !== 'submitted') throw errorOf(outcome);
  const { stdout, stderr, displays = [] } = outcome;
  const final: FinalOutput | undefined = outcome.type === 'submitted' ? { output: outcome.value } : undefined;
  const value = outcome.type === 'returned' ? outcome.value : null;
  // 0, false and the empty are values too
  const output = final ?? (value === null ? stdout : value);
  return { output, value, final, stdout, stderr, displays };
}
