/** One QuickJS in memory of its own, with the harness inside. It is thrown away as a whole: nothing of it is ever freed one by one. */
import variant from '@jitl/quickjs-ng-wasmfile-release-sync';
import { newQuickJSWASMModuleFromVariant, newVariant } from 'quickjs-emscripten-core';
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from 'quickjs-emscripten-core';
import { installConsole } from './in-guest/console.ts';
import { installDisplay } from './in-guest/display.ts';
import { installFiles } from './in-guest/files.ts';
import type { HarnessHost } from './in-guest/harness-types.ts';
import { installHarness } from './in-guest/harness.ts';
import { installProcess } from './in-guest/process.ts';
import { installTimers } from './in-guest/timers.ts';
import { installTools } from './in-guest/tools.ts';
import { installValues } from './in-guest/values.ts';
import type { Modules } from './modules.ts';

export interface InterpreterOptions {
  readonly module: WebAssembly.Module;
  readonly memoryBytes: number;
  /** Beyond it a call fails cleanly; the engine's own stack must not end first. */
  readonly stackBytes: number;
  readonly host: HarnessHost;
  readonly modules: Modules;
  /** Asked again and again while code runs; true ends it, and no `catch` of the guest hears of it. */
  readonly mustEnd: () => boolean;
}

const pageBytes = 65_536;
/** What the interpreter's own build starts with. */
export const firstPages = 256;
/** `JS_EVAL_FLAG_ASYNC`: a script that may await. It answers a promise of `{ value }`. */
const asyncScript = 1 << 7;
/** `JS_EVAL_TYPE_MODULE`. It answers a promise of the module's namespace. */
const asModule = 1;
const harnessName = '<harness>';
/** Values may be 200 levels deep, and each takes some calls of the harness; it reads no code and no JSON of that depth. */
const harnessStackBytes = 160 * 1024;

/** Their texts, put together inside. */
const harnessSource = `((host) => {
  const values = (${String(installValues)})(host);
  const console = (${String(installConsole)})(host, values);
  const timers = (${String(installTimers)})(host, console);
  const files = (${String(installFiles)})(host);
  const tools = (${String(installTools)})(host, values);
  const display = (${String(installDisplay)})(host, values, console);
  const process = (${String(installProcess)})(files);
  return (${String(installHarness)})(host, { values, console, timers, files, tools, display, process });
})`;

/** What evaluating answered: a promise, or what could not be compiled. */
export type Evaluated =
  | { readonly promise: QuickJSHandle; readonly fault?: undefined }
  | { readonly fault: QuickJSHandle };

export type PromiseState =
  | { readonly type: 'pending' }
  | { readonly type: 'fulfilled' | 'rejected'; readonly value: QuickJSHandle };

/** A function of the harness, by name. */
export type HarnessCall = 'begin' | 'finish' | 'describe' | 'fire' | 'answer';

export class Interpreter {
  readonly #context: QuickJSContext;
  readonly #runtime: QuickJSRuntime;
  readonly #harness: QuickJSHandle;
  readonly #stackBytes: number;

  private constructor(runtime: QuickJSRuntime, { host, stackBytes }: InterpreterOptions) {
    const context = runtime.newContext();
    this.#stackBytes = stackBytes;
    this.#runtime = runtime;
    this.#context = context;
    this.#harness = this.#install(host);
  }

  static async create(options: InterpreterOptions): Promise<Interpreter> {
    const { module: wasmModule, memoryBytes, stackBytes, modules } = options;
    const maximum = Math.max(firstPages, Math.floor(memoryBytes / pageBytes));
    const wasmMemory = new WebAssembly.Memory({ initial: firstPages, maximum });
    const quick = await newQuickJSWASMModuleFromVariant(newVariant(variant, { wasmModule, wasmMemory }));
    const runtime = quick.newRuntime();
    runtime.setMaxStackSize(stackBytes);
    runtime.setInterruptHandler(options.mustEnd);
    runtime.setModuleLoader(
      (name) => modules.read(name) ?? { error: missingModule(name) },
      (base, asked) => modules.resolve(base, asked),
    );
    return new Interpreter(runtime, options);
  }

  evaluate(code: string, fileName: string): Evaluated {
    return this.#evaluate(code, fileName, asyncScript);
  }

  /** The promise is of the module's namespace. */
  evaluateModule(code: string, fileName: string): Evaluated {
    return this.#evaluate(code, fileName, asModule);
  }

  #evaluate(code: string, fileName: string, flags: number): Evaluated {
    const result = this.#context.evalCode(code, fileName, flags);
    return result.error ? { fault: result.error } : { promise: result.value };
  }

  /** Runs what is ready to run, until nothing is. */
  runJobs(): void {
    const result = this.#runtime.executePendingJobs();
    if (result.error) result.error.dispose();
  }

  get hasJobs(): boolean {
    return this.#runtime.hasPendingJob();
  }

  /** Of a promise; what is none is fulfilled with itself. */
  stateOf(handle: QuickJSHandle): PromiseState {
    const state = this.#context.getPromiseState(handle);
    if (state.type === 'pending') return { type: 'pending' };
    return state.type === 'fulfilled'
      ? { type: 'fulfilled', value: state.value }
      : { type: 'rejected', value: state.error };
  }

  property(handle: QuickJSHandle, name: string): QuickJSHandle {
    return this.#context.getProp(handle, name);
  }

  setGlobal(name: string, value: QuickJSHandle): void {
    this.#context.setProp(this.#context.global, name, value);
  }

  get nothing(): QuickJSHandle {
    return this.#context.undefined;
  }

  text(text: string): QuickJSHandle {
    return this.#context.newString(text);
  }

  number(value: number): QuickJSHandle {
    return this.#context.newNumber(value);
  }

  /** The text that the harness answers, or what it threw. Takes the handles. */
  call(name: HarnessCall, ...given: readonly QuickJSHandle[]): { text: string } | { thrown: QuickJSHandle } {
    const work = this.#context.getProp(this.#harness, name);
    this.#runtime.setMaxStackSize(harnessStackBytes);
    const result = this.#context.callFunction(work, this.#harness, ...given);
    this.#runtime.setMaxStackSize(this.#stackBytes);
    work.dispose();
    for (const handle of given) handle.dispose();
    if (result.error) return { thrown: result.error };
    const text = this.#context.typeof(result.value) === 'string' ? this.#context.getString(result.value) : '';
    result.value.dispose();
    return { text };
  }

  /** Whether it can still compute: out of memory, it may not. */
  isSound(): boolean {
    const result = this.#context.evalCode('[1].map((one) => one + 1)[0]', harnessName);
    if (result.error) {
      result.error.dispose();
      return false;
    }
    return result.value.consume((value) => this.#context.getNumber(value)) === 2;
  }

  #install(host: HarnessHost): QuickJSHandle {
    const context = this.#context;
    const made = context.unwrapResult(context.evalCode(harnessSource, harnessName));
    const given = this.#hostObject(host);
    const harness = context.unwrapResult(context.callFunction(made, context.undefined, given));
    made.dispose();
    given.dispose();
    const files = context.getProp(harness, 'files');
    const key = context.newSymbolFor('vivarium.files');
    context.defineProp(context.global, key, { value: files });
    return harness;
  }

  #hostObject(host: HarnessHost): QuickJSHandle {
    const context = this.#context;
    const object = context.newObject();
    const add = (name: string, work: (...given: QuickJSHandle[]) => QuickJSHandle | void): void =>
      context.newFunction(name, work).consume((handle) => context.setProp(object, name, handle));
    const text = (handle: QuickJSHandle): string => context.getString(handle);
    const number = (handle: QuickJSHandle): number => context.getNumber(handle);
    const withBytes = <T>(handle: QuickJSHandle, use: (bytes: Uint8Array) => T): T => {
      const view = context.getArrayBuffer(handle);
      try {
        return use(view.value);
      } finally {
        view.dispose();
      }
    };
    add('emit', (stream, json) => host.emit(number(stream) === 0 ? 0 : 1, text(json)));
    add('emitJson', (stream, json) => host.emitJson(number(stream) === 0 ? 0 : 1, text(json)));
    add('submit', (result) => host.submit(text(result)));
    add('keep', (bytes) => context.newNumber(withBytes(bytes, (view) => host.keep(view))));
    add('takeBytes', (index) => context.newArrayBuffer(host.takeBytes(number(index))));
    add('takeText', (index) => context.newString(host.takeText(number(index))));
    add('startTimer', (timer, delayMs) => host.startTimer(number(timer), number(delayMs)));
    add('stopTimer', (timer) => host.stopTimer(number(timer)));
    add('hold', (bytes) => withBytes(bytes, (view) => host.hold(view)));
    add('startTool', (call, ...given) => host.startTool(number(call), ...threeTexts(given.map(text))));
    add('callTool', (...given) => context.newString(host.callTool(...threeTexts(given.map(text)))));
    add('show', (bundle) => host.show(text(bundle)));
    add('showTable', (rows, plain) => host.showTable(text(rows), text(plain)));
    add('encodeText', (json) => context.newArrayBuffer(host.encodeText(text(json))));
    add('decodeText', (bytes) => context.newString(withBytes(bytes, (view) => host.decodeText(view))));
    return object;
  }
}

function threeTexts([first = '', second = '', third = '']: readonly string[]): [string, string, string] {
  return [first, second, third];
}

function missingModule(name: string): Error {
  return new ReferenceError(`cannot find module '${name}'`);
}
