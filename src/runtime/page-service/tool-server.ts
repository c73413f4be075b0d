/** The worker's side of tools: calls them for the page's executor, and sends what they answer. */
import type { ActorContext } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import { freezeGuestValue } from '../../executor/index.ts';
import type { GuestValue, Tool, ToolCall, Tools } from '../../executor/index.ts';
import { toWireError } from '../../port/index.ts';
import { executorService } from './executor-service.ts';
import type { ToolAnswerBody } from './executor-service.ts';
import type { ToolAnswered, ToolAsked, ToolEntry } from './remote-tools.ts';

/** What of the tools can cross; the page's executor refuses what is none. */
export function describeTools(tools: Tools): readonly ToolEntry[] {
  return Object.entries(tools).map(([name, tool]: readonly [string, Partial<Tool> | null]) => {
    if (typeof tool?.call !== 'function') return [name, null];
    const { parameters } = tool;
    if (parameters === undefined) return [name, {}];
    // no parameter is called by nothing: what is no text is refused there
    const texts = Array.isArray(parameters)
      ? parameters.map((each) => (typeof each === 'string' ? each : ''))
      : [''];
    return [name, { parameters: texts }];
  });
}

/** For one run; the caller ends it with the run. */
export class ToolServer {
  readonly #context: ActorContext;
  readonly #tools: Tools;
  readonly #execution: string;
  readonly #over = new AbortController();

  constructor(context: ActorContext, tools: Tools, execution: string) {
    this.#context = context;
    this.#tools = tools;
    this.#execution = execution;
  }

  /** Tools that still work are told that nobody waits. */
  end(): void {
    this.#over.abort();
  }

  async serve(asked: ToolAsked): Promise<void> {
    const { call } = asked;
    let answered: ToolAnswered;
    try {
      answered = { call, value: await this.#call(asked) };
    } catch (error) {
      answered = { call, failure: toWireError(error, 'executor/tool-failed') };
    }
    await this.#send(answered).catch(async (error: unknown) => {
      const why = new CodedError(
        'executor/tool-answer-invalid',
        `the tool "${asked.name}" answered what cannot cross`,
        { fields: { name: asked.name }, cause: error },
      );
      await this.#send({ call, failure: toWireError(why, why.code) }).catch(() => undefined);
    });
  }

  #call({ name, arguments: values, named, policy }: ToolAsked): ReturnType<Tool['call']> {
    const tool = Object.hasOwn(this.#tools, name) ? this.#tools[name] : undefined;
    const call: ToolCall = {
      arguments: freezeGuestValue(values as GuestValue[]),
      named: freezeGuestValue(named),
      signal: this.#over.signal,
      policy,
    };
    return (tool as Tool).call(call);
  }

  async #send(answered: ToolAnswered): Promise<void> {
    if (this.#over.signal.aborted) return;
    const { actor: owner, incarnation } = this.#context;
    const body: ToolAnswerBody = { ...answered, owner, incarnation, execution: this.#execution };
    await this.#context.callPage(executorService, 'tool-answer', body, { timeoutMs: Infinity });
  }
}
