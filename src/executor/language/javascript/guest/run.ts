/** One run of a guest's code: from its text to the text of its result. */
import type { QuickJSHandle } from 'quickjs-emscripten-core';
import type { Clock } from '../../../../platform/index.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import type { Ending } from './engine.ts';
import type { HostFunctions, RunListener } from './host-functions.ts';
import type { BeginRun, ThrownDetail } from './in-guest/harness-types.ts';
import type { Called, Evaluated, Interpreter } from './interpreter.ts';
import type { Modules } from './modules.ts';
import { refusal, refusalOfModules } from './refusal.ts';
import { isFault, placeOfAsked, readScript } from './script.ts';
import type { Place, Script, ScriptFault } from './script.ts';
import { tracebackOf } from './traceback.ts';
import type { KnownSource, SourcePlace, Traceback } from './traceback.ts';
import { countCharacters, originalFault, samePlace } from './translation.ts';
import type { Translated, Translation } from './translation.ts';

export interface RunParts {
  readonly interpreter: Interpreter;
  readonly host: HostFunctions;
  readonly modules: Modules;
  readonly request: RunRequest;
  /** As which the code shows in tracebacks. */
  readonly name: string;
  readonly fileBytes: number;
  readonly translation: Translation;
  readonly endMs: number;
  readonly clock: Clock;
}

/** Of this run or an earlier one. */
const runName = /^<run-\d+>$/u;
/** Guests' own jobs that a stopped run left behind may take so long to end. */
const leftOverMs = 50;
/** More of them say no more. */
const toldRejections = 20;
/** With its causes, in characters. */
const longestTraceback = 80_000;

/** Something was thrown; the handle is the guest's value. */
class Thrown extends Error {
  readonly handle: QuickJSHandle;

  constructor(handle: QuickJSHandle) {
    super('thrown by the guest');
    this.handle = handle;
  }
}

/** The run is over for a reason outside the code. */
class Over extends Error {}

export class Run implements RunListener {
  readonly #parts: RunParts;
  #endMs: number;
  #ending: Ending | undefined;
  #wake: (() => void) | undefined;
  /** What a timer threw, or what the engine did meanwhile. */
  #fault: Error | undefined;
  #toOriginal: (place: Place) => Place = samePlace;
  /** The imports of the code, where they stood. */
  #importing: Translated | undefined;
  /** The interpreter cannot be used by a later run. */
  isBroken = false;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.#endMs = parts.endMs;
  }

  /** The first one counts. */
  end(ending: Ending): void {
    this.#ending ??= ending;
    this.#wake?.();
  }

  isOver(): boolean {
    if (this.#parts.clock.monotonic() >= this.#endMs) this.#ending ??= { type: 'time' };
    return this.#ending !== undefined;
  }

  fire(timer: number): void {
    this.#react(() => this.#parts.interpreter.fire(timer));
  }

  answer(call: number, text: string): void {
    const { interpreter } = this.#parts;
    this.#react(() => interpreter.call('answer', interpreter.number(call), interpreter.text(text)));
  }

  /** Something happens while the run waits. As in other runtimes, an error that nothing catches there ends the run. */
  #react(work: () => Called): void {
    try {
      const called = work();
      if ('thrown' in called) this.#fault ??= new Thrown(called.thrown);
    } catch (error) {
      this.#fault ??= error as Error;
    }
    this.#wake?.();
  }

  lineOf(trace: string): number | null {
    return this.#traceback(trace).runLine;
  }

  #traceback(stack: string): Traceback {
    return tracebackOf(stack, (name) => this.#find(name));
  }

  #find(name: string): KnownSource | undefined {
    const { modules, name: own } = this.#parts;
    if (name === own) return { toOriginal: this.#toOriginal };
    return runName.test(name) ? { toOriginal: samePlace } : modules.find(name);
  }

  /** Throws only for an interpreter that died. */
  async result(): Promise<string> {
    const { clock, request } = this.#parts;
    const cancel = clock.after(Math.max(0, this.#endMs - clock.monotonic()), () =>
      this.end({ type: 'time' }),
    );
    try {
      const script = this.#read(request.code);
      if (isFault(script)) return syntaxError(script);
      const denied = refusal(script, request) ?? refusalOfModules(request, this.#parts.translation);
      return denied ?? (await this.#execute(script));
    } catch (error) {
      const result = this.#concludeWith(error);
      if (!this.isBroken) this.#tellRejections();
      return this.#ending?.type === 'output' ? this.#over() : result;
    } finally {
      cancel();
    }
  }

  #read(source: string): Script | ScriptFault {
    const translated = this.#parts.translation.script(source);
    if (isFault(translated)) return translated;
    const script = readScript(translated.code, this.#parts.request.isSession);
    const { toOriginal } = translated;
    if (isFault(script)) return originalFault(script, toOriginal);
    if (script.importing !== undefined) this.#importing = { code: script.importing, toOriginal };
    const count = countCharacters(script.code);
    this.#toOriginal = (place) => toOriginal(script.toOriginal(count(place)));
    return script;
  }

  async #execute(script: Script): Promise<string> {
    this.#begin();
    if (script.importing !== undefined) await this.#import(script.importing, script.bindings);
    const { interpreter, name } = this.#parts;
    const answer = await this.#settled(interpreter.evaluate(script.code, name));
    const value = script.hasValue
      ? await this.#awaited(interpreter.property(answer, 'value'))
      : interpreter.nothing;
    this.#tellRejections();
    return this.#finish(value);
  }

  /** Nobody handled them, and soon nobody can: what would be lost without a word is printed, as other runtimes do. */
  #tellRejections(): void {
    const { interpreter, host } = this.#parts;
    const { reasons, others } = interpreter.takeRejections();
    for (const [index, reason] of reasons.entries()) {
      if (index < toldRejections && this.#ending === undefined) host.emit(1, this.#unhandled(reason));
      else reason.dispose();
    }
    const left = others + Math.max(0, reasons.length - toldRejections);
    if (left > 0 && this.#ending === undefined) host.emit(1, `Uncaught (in promise): ${left} more\n`);
  }

  #unhandled(reason: QuickJSHandle): string {
    const detail = this.#describe(reason);
    const { type, message, stack, isError } = detail;
    const text = isError
      ? this.#withCauses(`${type}: ${message}\n${this.#traceback(stack).text}`, detail)
      : message;
    return `Uncaught (in promise) ${text.trimEnd()}\n`;
  }

  #begin(): void {
    const { interpreter, request, fileBytes } = this.#parts;
    const begin: BeginRun = {
      variables: request.variables,
      files: request.files,
      valueDepth: request.valueDepth,
      resultBytes: request.resultBytes,
      outputBytes: request.outputBytes,
      fileBytes,
      tools: Object.fromEntries(
        request.tools.map((name, index) => [name, request.toolParameters[index] ?? null]),
      ),
      toolArgumentBytes: request.toolArgumentBytes,
      displayBytes: request.displayBytes,
      environment: request.environment,
      workingDirectory: request.workingDirectory,
    };
    this.#text('begin', interpreter.text(JSON.stringify(begin)));
  }

  async #import(code: string, bindings: readonly string[]): Promise<void> {
    const { interpreter, name } = this.#parts;
    const namespace = await this.#settled(interpreter.evaluateModule(code, name));
    for (const binding of bindings) interpreter.setGlobal(binding, interpreter.property(namespace, binding));
  }

  async #finish(value: QuickJSHandle): Promise<string> {
    const { interpreter, request } = this.#parts;
    const values: QuickJSHandle[] = [];
    for (const name of request.outputs) {
      const answer = await this.#settled(interpreter.evaluate(name, '<output>'));
      values.push(interpreter.property(answer, 'value'));
    }
    return this.#text('finish', value, interpreter.text(JSON.stringify(request.outputs)), ...values);
  }

  #text(...[name, ...given]: Parameters<Interpreter['call']>): string {
    const called = this.#parts.interpreter.call(name, ...given);
    if (this.isOver()) throw new Over();
    if ('thrown' in called) throw new Thrown(called.thrown);
    return called.text;
  }

  /** What the evaluated code's promise became. */
  async #settled(evaluated: Evaluated): Promise<QuickJSHandle> {
    if (this.isOver()) throw new Over();
    if (evaluated.fault) throw new CompileFault(evaluated.fault);
    return this.#awaited(evaluated.promise);
  }

  /** Runs the guest's jobs, and waits for its timers, until the promise is settled. What is no promise is its own answer. */
  async #awaited(handle: QuickJSHandle): Promise<QuickJSHandle> {
    const { interpreter } = this.#parts;
    for (;;) {
      if (this.isOver()) throw new Over();
      if (this.#fault) throw this.#fault;
      interpreter.runJobs();
      if (this.isOver()) throw new Over();
      const state = interpreter.stateOf(handle);
      if (state.type === 'fulfilled') return state.value;
      if (state.type === 'rejected') throw new Thrown(state.value);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #concludeWith(error: unknown): string {
    if (error instanceof Over) return this.#over();
    if (error instanceof CompileFault) return this.#compileFault(error.handle);
    if (error instanceof Thrown) return this.#threwFrom(error);
    // the engine's own stack ended before the interpreter's: whatever it was doing is half done
    if (error instanceof RangeError) {
      this.isBroken = true;
      const { message } = error;
      return this.#threw({
        type: 'RangeError',
        message,
        stack: '',
        isOwn: false,
        isTooLarge: false,
        isError: true,
      });
    }
    throw error;
  }

  #threwFrom(thrown: Thrown): string {
    const result = this.#threw(this.#describe(thrown.handle));
    // what a timer began before it threw is no part of the next run
    if (thrown === this.#fault && !this.isBroken) this.#clear();
    return result;
  }

  #over(): string {
    const ending = this.#ending as Ending;
    this.#clear();
    switch (ending.type) {
      case 'submitted':
        return ending.result;
      case 'time':
        return JSON.stringify({ type: 'exceeded', limit: 'time' });
      case 'output':
        return JSON.stringify({ type: 'exceeded', limit: 'output' });
      case 'stopped':
        return threw({ type: 'InterruptError', message: '', traceback: '', line: null });
    }
  }

  /** Jobs that the run left must not go on in the next one; where they do not end, the interpreter does. */
  #clear(): void {
    const { interpreter, clock } = this.#parts;
    this.#ending = undefined;
    this.#endMs = clock.monotonic() + leftOverMs;
    interpreter.runJobs();
    this.isBroken = this.isOver() || interpreter.hasJobs;
  }

  #compileFault(handle: QuickJSHandle): string {
    const detail = this.#describe(handle);
    const { place: seen, isCompiling } = this.#traceback(detail.stack);
    const place = seen ?? this.#placeOfAsked(detail);
    // a module that runs may throw one of its own
    if (detail.type !== 'SyntaxError' || !isCompiling) return this.#threw(detail);
    const { message } = detail;
    if (place?.file === undefined) {
      return syntaxError({ message, line: place?.line ?? null, column: place?.column ?? null });
    }
    const { file, line, column } = place;
    return syntaxError(this.#parts.modules.faultIn(file) ?? { message, line, column }, file);
  }

  /** The interpreter names what a module does not export, and not who asked for it. */
  #placeOfAsked({ type, message }: ThrownDetail): SourcePlace | undefined {
    const [, name, module] = /export '(.*)' in module '(.*)'/su.exec(message) ?? [];
    if (type !== 'SyntaxError' || name === undefined || module === undefined) return undefined;
    const { modules, name: own } = this.#parts;
    const place =
      this.#importing &&
      placeOfAsked(
        this.#importing.code,
        (asked) => asked.name === name && modules.resolve(own, asked.from) === module,
      );
    return place ? this.#importing?.toOriginal(place) : modules.placeOfAsked(name, module);
  }

  #describe(handle: QuickJSHandle): ThrownDetail {
    const called = this.#parts.interpreter.call('describe', handle);
    if ('text' in called) return JSON.parse(called.text) as ThrownDetail;
    called.thrown.dispose();
    const nothing = { stack: '', isOwn: false, isTooLarge: false, isError: true };
    // without memory it cannot even be told that there is none
    return this.#parts.interpreter.isSound()
      ? { type: 'Error', message: '<it cannot be shown>', ...nothing }
      : { type: 'InternalError', message: 'out of memory', ...nothing };
  }

  #threw(detail: ThrownDetail): string {
    if (detail.isTooLarge) return JSON.stringify({ type: 'exceeded', limit: 'result' });
    if (detail.type === 'InternalError' && detail.message === 'out of memory') {
      this.isBroken = !this.#parts.interpreter.isSound();
      return JSON.stringify({ type: 'exceeded', limit: 'memory' });
    }
    const { type, message, stack } = detail;
    const { text, place: seen } = this.#traceback(stack);
    const place = seen ?? this.#placeOfAsked(detail);
    const where = { line: place?.line ?? null, file: place?.file };
    const traceback = this.#withCauses(`${type}: ${message}\n${text}`, detail);
    return threw({ type, message, traceback, ...where });
  }

  /** What the page reads of an error is bounded: the causes have what the error leaves. */
  #withCauses(traceback: string, { causes = [] }: ThrownDetail): string {
    const told = causes.map(({ type, message, stack }) =>
      `\nCaused by: ${type}: ${message}\n${this.#traceback(stack).text}`.trimEnd(),
    );
    return traceback + told.join('').slice(0, Math.max(0, longestTraceback - traceback.length));
  }
}

/** The interpreter refuses to compile what the reader let pass. */
class CompileFault extends Thrown {}

interface WrittenError {
  readonly type: string;
  readonly message: string;
  readonly traceback: string;
  readonly line: number | null;
  readonly file?: string | undefined;
}

function threw(error: WrittenError): string {
  return JSON.stringify({ type: 'threw', error });
}

function syntaxError({ message, line, column }: ScriptFault, file?: string): string {
  return JSON.stringify({ type: 'syntax-error', message, line, column, file });
}
