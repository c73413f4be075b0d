/** What the worker calls: a run begins, ends with a value or with an error, or submits. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type {
  BeginRun,
  GuestConsole,
  GuestDisplay,
  GuestFiles,
  GuestLeavings,
  GuestProcess,
  GuestTimers,
  GuestTools,
  GuestValues,
  Harness,
  HarnessHost,
  ThrownCause,
  ThrownDetail,
} from './harness-types.ts';

interface HarnessParts {
  readonly values: GuestValues;
  readonly console: GuestConsole;
  readonly timers: GuestTimers;
  readonly files: GuestFiles;
  readonly tools: GuestTools;
  readonly display: GuestDisplay;
  readonly process: GuestProcess;
  readonly leavings: GuestLeavings;
}

/** Runs in the interpreter, once, before any code of a guest. */
export function installHarness(host: HarnessHost, parts: HarnessParts): Harness {
  type Entry = [string, unknown];
  const { values, console, timers, files, tools, display, process, leavings } = parts;
  const { decode, encode, mapped, settle } = values;
  const { show, typeOf } = console;
  const { parse, stringify } = JSON;
  const { entries, getPrototypeOf, hasOwn, keys } = Object;
  const NativeSet = Set;
  const NativeError = Error;
  const NativeTypeError = TypeError;
  const maxMessage = 16_384;
  const maxCauses = 8;
  const maxCauseMessage = 2048;
  const maxCauseStack = 8192;

  const shorten = (text: string, limit: number): string =>
    text.length <= limit
      ? text
      : `${text.slice(0, limit / 2)}\n… shortened …\n${text.slice(text.length - limit / 2)}`;

  const describeCause = (cause: unknown): ThrownCause => {
    if (!(cause instanceof NativeError)) {
      const type = cause === null ? 'null' : typeof cause;
      return { type, message: shorten(show(cause, 2), maxCauseMessage), stack: '' };
    }
    const stack: unknown = cause.stack;
    return {
      type: shorten(typeOf(cause), 256),
      message: shorten(String(cause.message), maxCauseMessage),
      stack: typeof stack === 'string' ? shorten(stack, maxCauseStack) : '',
    };
  };

  /** What cannot be read ends the list, and takes nothing from the error itself. */
  const causesOf = (error: Error): ThrownCause[] => {
    const causes: ThrownCause[] = [];
    const seen = new NativeSet<unknown>([error]);
    let found: unknown = error;
    try {
      while (found instanceof NativeError && hasOwn(found, 'cause')) {
        found = found.cause;
        if (found === undefined || seen.has(found)) break;
        if (causes.length === maxCauses) {
          causes[maxCauses] = { type: '…', message: 'further causes are not shown', stack: '' };
          break;
        }
        seen.add(found);
        causes[causes.length] = describeCause(found);
      }
    } catch {
      // the guest's own getter
    }
    return causes;
  };

  const describeError = (error: unknown): ThrownDetail => {
    const isOwn = values.isOwn(error);
    const isTooLarge = values.isTooLarge(error);
    if (!(error instanceof NativeError)) {
      const type = error === null ? 'null' : typeof error;
      return {
        type,
        message: shorten(show(error, 2), maxMessage),
        stack: '',
        isOwn,
        isTooLarge,
        isError: false,
      };
    }
    const stack: unknown = isOwn ? '' : error.stack;
    const causes = causesOf(error);
    return {
      type: shorten(isOwn ? 'TypeError' : typeOf(error), 256),
      message: shorten(String(error.message), maxMessage),
      stack: typeof stack === 'string' ? shorten(stack, 65_536) : '',
      isOwn,
      isTooLarge,
      isError: true,
      ...(causes.length > 0 ? { causes } : {}),
    };
  };

  const describe = (error: unknown): string => {
    try {
      return stringify(describeError(error));
    } catch {
      const fallback = { type: 'Error', message: '<its message cannot be shown>', stack: '' };
      return stringify({ ...fallback, isOwn: false, isTooLarge: false, isError: true });
    }
  };

  const submit = (...given: unknown[]): void => {
    if (given.length !== 1) throw new NativeTypeError('SUBMIT takes one value, or an object of named ones');
    const [value] = given;
    const isNamed = typeof value === 'object' && value !== null && getPrototypeOf(value) === Object.prototype;
    const pairs = isNamed ? entries(value) : [['output', value] as Entry];
    const fields = mapped(pairs, (pair) => [pair[0], encode(pair[1], `submitted value ${pair[0]}`)]);
    host.submit(settle({ type: 'submitted', value: fields }));
    // the interpreter is ended here: neither catch nor finally of the guest runs
    for (;;);
  };

  const begin = (text: string): void => {
    const request = parse(text) as BeginRun;
    values.begin(request.valueDepth, request.resultBytes);
    files.begin(request.fileBytes);
    console.begin(request.outputBytes);
    timers.clear();
    // names that only the guest's code knows
    scope['SUBMIT'] = submit;
    tools.begin(request);
    display.begin(request);
    process.begin(request);
    mapped(keys(request.variables), (name) => (scope[name] = decode(request.variables[name])));
    mapped(request.files, (file) => files.write(file[0], decode(file[1])));
  };

  const finish = (value: unknown, names: string, ...given: readonly unknown[]): string => {
    display.showLast(value);
    const open = tools.openCalls();
    if (open !== '') console.complain(open);
    const variables = mapped(parse(names) as string[], (name, index) => [
      name,
      encode(given[index], `variable ${name}`),
    ]);
    return settle({ type: 'returned', value: encode(value, 'the value'), variables });
  };

  // what a session's constants are assigned through: they are variables there, and have any name
  const scope = globalThis as unknown as Record<string | symbol, unknown>;
  const constants = new Proxy({} as object, {
    get: (_constants, name) => scope[name],
    set: (_constants, name) => {
      throw new NativeTypeError(`'${String(name)}' is read-only`);
    },
  });

  return {
    constants,
    begin,
    finish,
    describe,
    fire: (timer) => timers.fire(timer),
    answer: tools.answer,
    leavings: leavings.tell,
    resume: leavings.resume,
    files: files.functions,
  };
}
