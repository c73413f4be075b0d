/** Serves the tool calls of one run. What comes in is a guest's; what goes out is bounded. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { GuestValue } from '../guest-value.ts';
import type { PackageBudget } from '../language/package-budget.ts';
import type { ExecutorLimits } from '../limits.ts';
import { decide } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { Tool, ToolCall } from '../tool.ts';
import type { Denial } from './denial.ts';
import type { ToolCallMessage } from './protocol.ts';
import { costOfJson } from './json-cost.ts';
import { KeysCollide, KeyWatch, slowKeysMs } from './key-watch.ts';
import { packageService } from './package-desk.ts';
import type { PackageDesk } from './package-desk.ts';
import { packAnswer } from './tool-answer.ts';
import { ValueEncoder } from './value-codec.ts';
import { MalformedValue, ValueReader } from './value-reader.ts';

/** A tool's message for the guest may be so long; the mailbox has room for it beside the largest answer. */
export const maxToolMessageLength = 16_384;
/** Longest name that is looked up or shown. */
const maxNameLength = 255;
/** The lists in which arguments come cost something, too. */
const slackBytes = 1024;

/** What a desk needs to know and whom it tells. */
export interface ToolDeskOptions {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly policy: Policy;
  readonly limits: ExecutorLimits;
  readonly clock: Clock;
  /** Serves what a guest asks for in a name that no tool can have. */
  readonly packages: Pick<PackageDesk, 'isOpen' | 'serve'>;
  /** Of the run. */
  readonly packageBudget: PackageBudget;
  /** Sends an answer to the guest. */
  readonly reply: (message: ToolCallMessage, answer: Uint8Array<ArrayBuffer>) => void;
  /** More calls came than a run may make, or the keys of their arguments keep the page too long. */
  readonly onExceed: (limit: 'calls' | 'keys', allowed: number) => void;
  /** The policy, or a tool that obeys it, has said no. */
  readonly onDeny: (denial: Denial) => void;
}

interface Arguments {
  readonly positional: readonly GuestValue[];
  readonly named: Record<string, GuestValue>;
}

type Code = 'executor/tool-unknown' | 'executor/tool-arguments-invalid' | 'executor/tool-answer-invalid';

const refusal = (code: Code, message: string, fields: Record<string, string | number>): CodedError =>
  new CodedError(code, message, { fields });

export class ToolDesk {
  readonly #options: ToolDeskOptions;
  readonly #closing = new AbortController();
  /** One for all calls: each alone may take as long as a result. */
  readonly #keys: KeyWatch;
  #calls = 0;

  constructor(options: ToolDeskOptions) {
    this.#options = options;
    this.#keys = new KeyWatch(options.clock);
  }

  /** The run is over: tools that still work are told, and what they answer is dropped. */
  close(): void {
    this.#closing.abort();
  }

  receive(message: ToolCallMessage): void {
    if (this.#closing.signal.aborted) return;
    this.#calls += 1;
    const { limits, onExceed } = this.#options;
    if (this.#calls > limits.toolCalls) return onExceed('calls', limits.toolCalls);
    void this.#serve(message);
  }

  async #serve(message: ToolCallMessage): Promise<void> {
    let answer: Uint8Array<ArrayBuffer>;
    try {
      answer = this.#encode(message, await this.#call(message));
    } catch (error) {
      if (isCodedError(error, 'executor/denied')) return this.#deny(error, message);
      answer = describeFailure(error);
    }
    if (!this.#closing.signal.aborted) this.#options.reply(message, answer);
  }

  #call(message: ToolCallMessage): ReturnType<Tool['call']> {
    const { tools, policy, packages } = this.#options;
    const name = message.name.slice(0, maxNameLength);
    if (name === packageService && packages.isOpen)
      return packages.serve(this.#toCall(this.#decode(message)), this.#options.packageBudget);
    const tool = tools.get(message.name);
    if (!tool) throw refusal('executor/tool-unknown', `there is no tool "${name}" in this run`, { name });
    const { isAllowed, rule } = decide(policy, { permission: 'tool', name });
    if (!isAllowed) throw deniedBy(name, rule);
    const { positional, named } = bind(this.#decode(message), tool, name);
    return tool.call(this.#toCall({ positional, named }));
  }

  #toCall({ positional, named }: Arguments): ToolCall {
    return {
      arguments: Object.freeze(positional),
      named: Object.freeze(named),
      signal: this.#closing.signal,
      policy: this.#options.policy,
    };
  }

  #decode({ name, arguments: json, buffers }: ToolCallMessage): Arguments {
    const { toolArgumentBytes, valueDepth } = this.#options.limits;
    const maxCost = toolArgumentBytes + slackBytes;
    const sizeBytes = Math.max(
      buffers.reduce((sum, buffer) => sum + buffer.byteLength, json.length),
      costOfJson(json, maxCost) - slackBytes,
    );
    const shown = name.slice(0, maxNameLength);
    if (sizeBytes > toolArgumentBytes) {
      throw refusal(
        'executor/tool-arguments-invalid',
        `the arguments of "${shown}" have ${sizeBytes} bytes, at most ${toolArgumentBytes} are allowed`,
        { name: shown, sizeBytes, allowed: toolArgumentBytes },
      );
    }
    try {
      return readArguments(JSON.parse(json), new ValueReader(buffers, this.#keys), valueDepth + 2);
    } catch (error) {
      // the next call would keep the page as long again
      if (error instanceof KeysCollide) this.#options.onExceed('keys', slowKeysMs);
      const isTold = error instanceof MalformedValue || error instanceof KeysCollide;
      const why = isTold ? error.message : 'no JSON';
      throw refusal('executor/tool-arguments-invalid', `the arguments of "${shown}" cannot be read: ${why}`, {
        name: shown,
        found: why,
      });
    }
  }

  #encode({ name, isBlocking }: ToolCallMessage, value: unknown): Uint8Array<ArrayBuffer> {
    const { valueDepth } = this.#options.limits;
    const toolResultBytes = this.#answerBytes(name, isBlocking);
    const invalid = (why: string): CodedError =>
      refusal('executor/tool-answer-invalid', `the tool "${name}" answered what cannot cross: ${why}`, {
        name,
        found: why,
      });
    const encoder = new ValueEncoder({ maxSizeBytes: toolResultBytes, maxDepth: valueDepth });
    let block: Uint8Array<ArrayBuffer>;
    try {
      const tree = encoder.encode(value === undefined ? null : value, 'answer');
      block = packAnswer(JSON.stringify({ value: tree }), encoder.buffers);
    } catch (error) {
      throw invalid(messageOf(error));
    }
    if (block.length > toolResultBytes) {
      throw invalid(`it has ${block.length} bytes, at most ${toolResultBytes} are allowed`);
    }
    return block;
  }

  /** Packages have bounds of their own; but there is no more room for one who waits with the thread. */
  #answerBytes(name: string, isBlocking: boolean): number {
    const { toolResultBytes, packageBytes } = this.#options.limits;
    return name === packageService && !isBlocking ? 2 * packageBytes : toolResultBytes;
  }

  #deny(error: CodedError, { name, line }: ToolCallMessage): void {
    if (this.#closing.signal.aborted) return;
    const { permission, name: what, rule } = error.fields;
    this.#options.onDeny({
      permission: permission === 'network' || permission === 'package' ? permission : 'tool',
      name: typeof what === 'string' ? what : name.slice(0, maxNameLength),
      rule: typeof rule === 'string' ? rule : 'tools',
      line,
      column: null,
    });
  }
}

function deniedBy(name: string, rule: string): CodedError {
  return new CodedError('executor/denied', `the policy denies the tool "${name}"`, {
    fields: { permission: 'tool', name, rule },
  });
}

function readArguments(tree: unknown, reader: ValueReader, maxDepth: number): Arguments {
  if (!Array.isArray(tree) || tree.length !== 2) throw new MalformedValue('no pair of lists');
  const [values, pairs] = tree as readonly unknown[];
  if (!Array.isArray(values) || !Array.isArray(pairs)) throw new MalformedValue('no pair of lists');
  const positional = values.map((value) => reader.read(value, maxDepth));
  const named = Object.create(null) as Record<string, GuestValue>;
  for (const pair of pairs as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string') {
      throw new MalformedValue('a broken name');
    }
    named[pair[0]] = reader.read(pair[1], maxDepth);
  }
  return { positional, named };
}

/** Gives values the names of the tool's parameters, where it has them. */
function bind({ positional, named }: Arguments, { parameters }: Tool, name: string): Arguments {
  if (!parameters) return { positional, named };
  const wrong = (why: string): CodedError =>
    refusal('executor/tool-arguments-invalid', `${name}() ${why}`, { name });
  if (positional.length > parameters.length) {
    throw wrong(`takes ${parameters.length} values, ${positional.length} were given`);
  }
  const strange = Object.keys(named).find((key) => !parameters.includes(key));
  if (strange !== undefined) throw wrong(`has no parameter "${strange.slice(0, maxNameLength)}"`);
  for (const [index, value] of positional.entries()) {
    const key = parameters[index] as string;
    if (key in named) throw wrong(`got "${key}" twice`);
    named[key] = value;
  }
  return { positional: [], named };
}

function describeFailure(error: unknown): Uint8Array<ArrayBuffer> {
  const code = isCodedError(error) ? error.code : 'executor/tool-failed';
  const message = messageOf(error).slice(0, maxToolMessageLength);
  return packAnswer(JSON.stringify({ code: code.slice(0, maxNameLength), message }), []);
}
