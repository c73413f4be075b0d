/** Tools of the page, as functions that answer promises, or wait where the worker's thread can. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type { BeginRun, GuestTools, GuestValues, HarnessHost } from './harness-types.ts';

/** Runs in the interpreter. */
export function installTools(host: HarnessHost, values: GuestValues): GuestTools {
  const { parse, stringify } = JSON;
  const { defineProperty, entries, getPrototypeOf, hasOwn, keys } = Object;
  const { encode, decode, mapped } = values;
  const NativeError = Error;
  const NativeMap = Map;
  const NativePromise = Promise;
  const objectPrototype = Object.prototype;

  interface Waiting {
    readonly resolve: (value: unknown) => void;
    readonly reject: (error: unknown) => void;
    readonly trace: string;
    readonly name: string;
  }
  type ToolFunction = (...given: unknown[]) => unknown;
  const waiting = new NativeMap<number, Waiting>();
  const bound = new NativeMap<string, ToolFunction>();
  // tools are globals, by names that only the page knows
  const scope = globalThis as unknown as Record<string, unknown>;
  let argumentBytes = 0;
  let lastCall = 0;

  class ToolError extends NativeError {
    readonly code: string;
    constructor(message: string, code: string) {
      super(message);
      this.code = code;
    }
  }
  defineProperty(ToolError.prototype, 'name', { value: 'ToolError', configurable: true, writable: true });

  const tooLarge = (name: string): Error =>
    new ToolError(
      `the arguments of ${name} are larger than ${argumentBytes} bytes`,
      'executor/tool-arguments-invalid',
    );

  /** A single plain object names its values, where the tool has names for them and the object has one of these. */
  const isNamed = (given: readonly unknown[], parameters: readonly string[] | null): boolean => {
    const [only] = given;
    if (!parameters || given.length !== 1 || typeof only !== 'object' || only === null) return false;
    const prototype: unknown = getPrototypeOf(only);
    if (prototype !== null && prototype !== objectPrototype) return false;
    for (let index = 0; index < parameters.length; index += 1) {
      if (hasOwn(only, parameters[index] as string)) return true;
    }
    return false;
  };

  const write = (name: string, parameters: readonly string[] | null, given: readonly unknown[]): string => {
    const buffers: ArrayBuffer[] = [];
    let sizeBytes = 0;
    const keep = (bytes: ArrayBuffer): number => {
      sizeBytes += bytes.byteLength;
      buffers[buffers.length] = bytes;
      return buffers.length - 1;
    };
    const byName = isNamed(given, parameters);
    let text: string;
    try {
      text = values.apart(argumentBytes, keep, () => {
        const items = byName ? [] : given;
        const pairs = byName ? entries(given[0] as object) : [];
        return stringify([
          mapped(items, (value, index) => encode(value, `${name}() argument ${index + 1}`)),
          mapped(pairs, (pair) => [pair[0], encode(pair[1], `${name}() argument ${pair[0]}`)]),
        ]);
      });
    } catch (error) {
      throw values.isTooLarge(error) ? tooLarge(name) : error;
    }
    if (text.length + sizeBytes > argumentBytes) throw tooLarge(name);
    mapped(buffers, (bytes) => host.hold(bytes));
    return text;
  };

  const read = (text: string, trace: string): unknown => {
    const content = parse(text) as { value: unknown } | { code: string; message: string };
    if ('value' in content) return decode(content.value);
    const error = new ToolError(content.message, content.code);
    // where it was called, not where the answer was read
    error.stack = trace;
    throw error;
  };

  const traceOf = (): string => String(new NativeError().stack ?? '');

  const bind = (name: string, parameters: readonly string[] | null): ToolFunction => {
    const call = (...given: unknown[]): Promise<unknown> =>
      new NativePromise((resolve, reject) => {
        const trace = traceOf();
        const text = write(name, parameters, given);
        lastCall += 1;
        waiting.set(lastCall, { resolve, reject, trace, name });
        host.startTool(lastCall, name, text, trace);
      });
    const sync = (...given: unknown[]): unknown => {
      const trace = traceOf();
      const answer = host.callTool(name, write(name, parameters, given), trace);
      // the run was asked to stop: the interpreter is ended here
      if (answer === '') for (;;);
      return read(answer, trace);
    };
    defineProperty(call, 'name', { value: name, configurable: true });
    return defineProperty(call, 'sync', { value: sync, configurable: true });
  };

  const maxNames = 20;
  const openCalls = (): string => {
    if (waiting.size === 0) return '';
    let names = '';
    let count = 0;
    waiting.forEach(({ name }) => {
      if (count < maxNames) names += `${count > 0 ? ', ' : ''}${name}()`;
      count += 1;
    });
    return `not answered when the run ended: ${names}${count > maxNames ? ` and ${count - maxNames} more` : ''}`;
  };

  return {
    openCalls,
    begin({ tools, toolArgumentBytes }: BeginRun): void {
      argumentBytes = toolArgumentBytes;
      waiting.clear();
      bound.forEach((call, name) => {
        if (scope[name] === call) delete scope[name];
      });
      bound.clear();
      mapped(keys(tools), (name) => {
        const call = bind(name, tools[name] as readonly string[] | null);
        bound.set(name, call);
        scope[name] = call;
      });
    },
    isBound: (name, value) => value !== undefined && bound.get(name) === value,
    answer(call, text): void {
      const pending = waiting.get(call);
      if (!pending) return;
      waiting.delete(call);
      try {
        pending.resolve(read(text, pending.trace));
      } catch (error) {
        pending.reject(error);
      }
    },
  };
}
