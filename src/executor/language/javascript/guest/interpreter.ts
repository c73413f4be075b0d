/** One QuickJS in memory of its own, with the harness inside. It is thrown away as a whole; what a run was handed is let go at the run's end. */
import variant from '@jitl/quickjs-ng-wasmfile-release-sync';
import { newQuickJSWASMModuleFromVariant, newVariant } from 'quickjs-emscripten-core';
import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from 'quickjs-emscripten-core';
import { findPages, pageBytes as imagePageBytes, writeHeapImage } from '../../../guest/heap-image.ts';
import type { HeapImage } from '../../../guest/heap-image.ts';
import { wasmPageBytes } from '../../../wasm-format.ts';
import { copyMemory, InterpreterImage } from './interpreter-image.ts';
import type { Reference } from './interpreter-image.ts';
import { installConsole } from './in-guest/console.ts';
import { installConsoleMethods } from './in-guest/console-methods.ts';
import { installDisplay } from './in-guest/display.ts';
import { installFiles } from './in-guest/files.ts';
import type { HarnessHost } from './in-guest/harness-types.ts';
import { installHarness } from './in-guest/harness.ts';
import { installLeavings } from './in-guest/leavings.ts';
import { installProcess } from './in-guest/process.ts';
import { installTextCoding } from './in-guest/text-coding.ts';
import { installTimers } from './in-guest/timers.ts';
import { installTools } from './in-guest/tools.ts';
import { installValues } from './in-guest/values.ts';
import type { Modules } from './modules.ts';
import { Rejections } from './rejections.ts';
import type { Unhandled } from './rejections.ts';
import type { ScriptFault } from './script.ts';

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

/** What the interpreter's own build starts with. */
export const firstPages = 256;
/** `JS_EVAL_FLAG_ASYNC`: a script that may await. It answers a promise of `{ value }`. */
const asyncScript = 1 << 7;
/** `JS_EVAL_TYPE_MODULE`. It answers a promise of the module's namespace. */
const asModule = 1;
const harnessName = '<harness>';
/** Values may be 200 levels deep, and each takes some calls of the harness; it reads no code and no JSON of that depth. */
const harnessStackBytes = 160 * 1024;

/** Where they are for a moment, before any code of a guest runs. */
const hostName = '<host>';

/** Their texts, put together inside. What is left is the harness, by its name. */
const harnessSource = `{
  const host = globalThis['${hostName}'];
  delete globalThis['${hostName}'];
  const values = (${String(installValues)})(host);
  const console = (${String(installConsole)})(host, values);
  (${String(installConsoleMethods)})(values, console);
  const timers = (${String(installTimers)})(host);
  const coding = (${String(installTextCoding)})(host);
  const files = (${String(installFiles)})(coding);
  const tools = (${String(installTools)})(host, values);
  const display = (${String(installDisplay)})(host, values, console);
  const process = (${String(installProcess)})(files);
  const leavings = (${String(installLeavings)})(tools);
  const harness = (${String(installHarness)})(host, { values, console, timers, files, tools, display, process, leavings });
  Object.defineProperty(globalThis, Symbol.for('vivarium.files'), { value: harness.files });
  Object.defineProperty(globalThis, Symbol.for('vivarium.constants'), { value: harness.constants });
  Object.defineProperty(globalThis, '${harnessName}', { value: harness, configurable: true });
}`;

/** What evaluating answered: a promise, or what could not be compiled. */
export type Evaluated =
  | { readonly promise: QuickJSHandle; readonly fault?: undefined }
  | { readonly fault: QuickJSHandle };

export type PromiseState =
  | { readonly type: 'pending' }
  | { readonly type: 'fulfilled' | 'rejected'; readonly value: QuickJSHandle };

/** A function of the harness, by name. */
export type HarnessCall = 'begin' | 'finish' | 'describe' | 'answer' | 'leavings' | 'resume';

/** What a function of the harness answered, or what it threw. */
export type Called = { readonly text: string } | { readonly thrown: QuickJSHandle };

export class Interpreter {
  readonly #context: QuickJSContext;
  readonly #runtime: QuickJSRuntime;
  readonly #harness: QuickJSHandle;
  readonly #stackBytes: number;
  readonly #memory: WebAssembly.Memory;
  readonly #rejections: Rejections;
  #held: QuickJSHandle[] = [];

  private constructor({ memory, runtime, context, rejections }: Prepared, stackBytes: number) {
    this.#stackBytes = stackBytes;
    this.#memory = memory;
    this.#rejections = rejections;
    this.#runtime = runtime;
    this.#context = context;
    this.#harness = context.getProp(context.global, harnessName);
    context.unwrapResult(context.evalCode(`delete globalThis['${harnessName}']`, harnessName)).dispose();
  }

  /** @param image made with the same options but for the host and its answers */
  static async create(options: InterpreterOptions, image?: InterpreterImage): Promise<Interpreter> {
    const prepared = await prepare(options);
    if (image) image.write(prepared.memory);
    else installIn(prepared);
    return new Interpreter(prepared, options.stackBytes);
  }

  /**
   * One that goes on where another one was: its memory is all that it is. Throws where the host's own places in that memory are others.
   * @param image the memory, behind a header that begins with {@link places}
   */
  static async restore(options: InterpreterOptions, image: HeapImage): Promise<Interpreter> {
    if (image.heapBytes > Math.max(firstPages * wasmPageBytes, options.memoryBytes)) {
      throw new Error('the memory of the one before is beyond the bound of this one');
    }
    const prepared = await prepare(options, Math.ceil(image.heapBytes / wasmPageBytes));
    installIn(prepared);
    const interpreter = new Interpreter(prepared, options.stackBytes);
    const { buffer, byteOffset } = image.header;
    const places = new Uint32Array(buffer, byteOffset, interpreter.places.length);
    if (interpreter.places.some((place, index) => place !== places[index])) {
      throw new Error('the interpreter is made otherwise than the one before');
    }
    const { heap } = interpreter;
    for (const place of findPages(heap)) heap.fill(0, place * imagePageBytes, (place + 1) * imagePageBytes);
    writeHeapImage(image, heap);
    interpreter.call('resume');
    return interpreter;
  }

  /** What later ones can start from; `undefined` where that is not possible. */
  static async image(options: InterpreterOptions): Promise<InterpreterImage | undefined> {
    return InterpreterImage.of(await refer(options), await refer(options));
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
    if (!result.error) return { promise: this.#hold(result.value) };
    this.#rejections.handle(result.error);
    return { fault: result.error };
  }

  #hold(handle: QuickJSHandle): QuickJSHandle {
    this.#held.push(handle);
    return handle;
  }

  /** What was handed out and not taken back: a session's values would live as long as it, and be put aside with it. */
  release(): void {
    for (const handle of this.#held.splice(0)) if (handle.alive) handle.dispose();
  }

  /** Where the handles lie that are held from here for good. */
  get places(): readonly number[] {
    return [this.#context.global.value, this.#harness.value];
  }

  /** All that it is, between runs: its module has no other state. Gone when the memory grows. */
  get heap(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
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
    if (state.type === 'fulfilled') return { type: 'fulfilled', value: this.#hold(state.value) };
    this.#rejections.handle(state.error, handle);
    return { type: 'rejected', value: this.#hold(state.error) };
  }

  /** What was rejected so far and nobody has handled; told once. */
  takeRejections(): Unhandled {
    return this.#rejections.take();
  }

  property(handle: QuickJSHandle, name: string): QuickJSHandle {
    return this.#hold(this.#context.getProp(handle, name));
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
  call(name: HarnessCall, ...given: readonly QuickJSHandle[]): Called {
    this.#runtime.setMaxStackSize(harnessStackBytes);
    try {
      return this.#call(name, given);
    } finally {
      this.#runtime.setMaxStackSize(this.#stackBytes);
    }
  }

  /** Runs the guest's own function behind a timer, with a guest's stack. */
  fire(timer: number): Called {
    return this.#call('fire', [this.#context.newNumber(timer)]);
  }

  #call(name: HarnessCall | 'fire', given: readonly QuickJSHandle[]): Called {
    const work = this.#context.getProp(this.#harness, name);
    const result = this.#context.callFunction(work, this.#harness, ...given);
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
}

/** An interpreter that has everything but the harness. */
interface Prepared {
  readonly memory: WebAssembly.Memory;
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
  readonly rejections: Rejections;
}

/** The same steps in the same order, each time: what memory looks like afterwards is the same, too. */
async function prepare(options: InterpreterOptions, pages: number = firstPages): Promise<Prepared> {
  const { module: wasmModule, memoryBytes, stackBytes, modules, host } = options;
  const maximum = Math.max(firstPages, Math.floor(memoryBytes / wasmPageBytes));
  const wasmMemory = new WebAssembly.Memory({ initial: Math.max(pages, firstPages), maximum });
  let table: WebAssembly.Table | undefined;
  const instantiateWasm = (
    imports: WebAssembly.Imports,
    use: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports => {
    const instance = new WebAssembly.Instance(wasmModule, imports);
    table = instance.exports['table'] as WebAssembly.Table;
    use(instance);
    return instance.exports;
  };
  const made = newVariant(variant, { wasmMemory, emscriptenModule: { instantiateWasm } });
  const quick = await newQuickJSWASMModuleFromVariant(made);
  const runtime = quick.newRuntime();
  runtime.setMaxStackSize(stackBytes);
  runtime.setInterruptHandler(options.mustEnd);
  runtime.setModuleLoader(
    (name, asking) => {
      const source = modules.read(name);
      if (typeof source === 'string') return source;
      return { error: source ? brokenModule(asking, name, source) : missingModule(name) };
    },
    (base, asked) => modules.resolve(base, asked),
  );
  const context = runtime.newContext();
  hostObject(context, host).consume((handle) => context.setProp(context.global, hostName, handle));
  const rejections = new Rejections({
    // exported as such by wasm/quickjs/export-table.mjs, which the binding's types do not know
    table: table as unknown as WebAssembly.Table,
    memory: wasmMemory,
    context,
  });
  return { memory: wasmMemory, runtime, context, rejections };
}

function installIn({ context }: Prepared): void {
  context.unwrapResult(context.evalCode(harnessSource, harnessName)).dispose();
}

async function refer(options: InterpreterOptions): Promise<Reference> {
  const prepared = await prepare(options);
  const before = copyMemory(prepared.memory);
  installIn(prepared);
  return { before, after: copyMemory(prepared.memory) };
}

/** The functions of the worker that the harness is given. */
function hostObject(context: QuickJSContext, host: HarnessHost): QuickJSHandle {
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
  add('encodeText', (json, encoding) => context.newArrayBuffer(host.encodeText(text(json), text(encoding))));
  add('decodeText', (bytes, encoding, isFatal, keepsMark) =>
    context.newString(
      withBytes(bytes, (view) => host.decodeText(view, text(encoding), number(isFatal), number(keepsMark))),
    ),
  );
  return object;
}

function threeTexts([first = '', second = '', third = '']: readonly string[]): [string, string, string] {
  return [first, second, third];
}

/** The same error that the interpreter throws for what it cannot compile itself. */
function brokenModule(
  context: QuickJSContext,
  name: string,
  { message, line, column }: ScriptFault,
): QuickJSHandle {
  const error = context.newError({ name: 'SyntaxError', message });
  const stack = `    at ${name}:${line ?? 1}:${column ?? 1}\n`;
  context.newString(stack).consume((handle) => context.setProp(error, 'stack', handle));
  return error;
}

function missingModule(name: string): Error {
  return new ReferenceError(`cannot find module '${name}'`);
}
