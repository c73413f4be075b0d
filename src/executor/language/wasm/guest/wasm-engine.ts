/** WebAssembly as an engine: the browser's own, with modules that were rewritten to stay within bounds. */
import { seededRandom, systemRandom } from '../../../../platform/index.ts';
import type { Engine, EngineRun, GuestOutput, SavedState } from '../../../guest/engine.ts';
import { readValue, writeValue } from '../../../guest/guest-values.ts';
import type { ReadValue, WrittenValue } from '../../../guest/guest-values.ts';
import { isInterrupted } from '../../../guest/interrupt-flag.ts';
import type { LostName } from '../../../outcome.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import type { SaveBounds } from '../../../sandbox/session-protocol.ts';
import { CallFault } from './arguments.ts';
import { ModuleFault } from '../../../guest/byte-reader.ts';
import { countingClock, machineClock } from './clock.ts';
import { GuestFiles, restartFileNumbers } from './files.ts';
import { Exit, HostSlot, LoadedModule, OutOfFuel } from './module-run.ts';
import { readSettings } from './run-settings.ts';
import type { RunSettings } from './run-settings.ts';
import { contentBytes, openSession, packSession } from './session-files.ts';
import { trapFrames, trapKind } from './trap.ts';
import { RunOver, WasiHost } from './wasi-host.ts';

/** The text of a module could not be read. */
export class TextFault extends Error {
  readonly line: number | null;
  readonly column: number | null;

  constructor(message: string, line: number | null, column: number | null) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

export interface WasmParts {
  readonly memoryBytes: number;
  readonly fileBytes: number;
  readonly interrupt: SharedArrayBuffer | undefined;
  readonly output: GuestOutput;
  /** Makes a binary of a text; throws {@link TextFault}. Absent where text is not taken. */
  readonly compileText?: (text: string) => Uint8Array;
}

interface Place {
  readonly loaded: LoadedModule;
  readonly slot: HostSlot;
}

/** The compiler of texts cannot go on: the worker ends. */
export class CompilerDied extends Error {}

const messageLength = 16_384;
/** Files of so many bytes are copied after every run. */
const quickBytes = 4 * 2 ** 20;
const toText = (value: ReadValue): string =>
  typeof value === 'string' ? value : typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
const short = (text: string): string => text.slice(0, messageLength);

export class WasmEngine implements Engine {
  readonly interruptName = 'InterruptError';
  readonly #parts: WasmParts;
  #files: GuestFiles;
  #environment: Readonly<Record<string, string>> = {};
  #directory = '';
  #place: Place | undefined;

  constructor(parts: WasmParts) {
    this.#parts = parts;
    this.#files = newFiles(parts);
  }

  run({ request: bytes, buffers }: EngineRun): string {
    const request = JSON.parse(new TextDecoder().decode(bytes)) as RunRequest;
    try {
      return this.#returned(request, buffers);
    } catch (error) {
      if (error instanceof CompilerDied) throw error;
      return JSON.stringify(resultOf(error));
    }
  }

  /** Nothing of a module but its files and its instance outlives its run. */
  renew(): void {
    this.#place = undefined;
    this.#files = newFiles(this.#parts);
    this.#environment = {};
    this.#directory = '';
  }

  save({ sizeBytes }: SaveBounds, isIdle: boolean): SavedState | 'later' {
    const [environment, directory] = [this.#environment, this.#directory];
    const session = { nodes: this.#files.list(), environment, directory };
    if (!isIdle && contentBytes(session) > quickBytes) return 'later';
    return packSession(session, sizeBytes, this.#place !== undefined);
  }

  restore([bytes = new Uint8Array()]: readonly Uint8Array[]): readonly LostName[] {
    const session = openSession(bytes);
    if (!session) return [];
    this.#files.fill(session.nodes);
    this.#environment = session.environment;
    this.#directory = session.directory;
    return [];
  }

  #returned(request: RunRequest, buffers: readonly Uint8Array[]): string {
    const { output } = this.#parts;
    const settings = readSettings(readValue(request.variables, buffers) as Record<string, ReadValue>);
    this.#putFiles(request, buffers);
    this.#environment = { ...this.#environment, ...request.environment };
    this.#directory = request.workingDirectory ?? this.#directory;
    const host = this.#host(settings, request.outputBytes);
    const value = this.#ran(this.#code(request, buffers), host, settings);
    const variables = request.outputs.map((name) => [name, writeValue(this.#global(name), output)] as const);
    return JSON.stringify({ type: 'returned', value: writeValue(value, output), variables });
  }

  /** What the call answers; the status 0 where the module ends itself with it, wherever it does. */
  #ran(code: Uint8Array, host: WasiHost, settings: RunSettings): WrittenValue {
    try {
      return this.#call(this.#loaded(code, host, settings.fuel).loaded, settings);
    } catch (error) {
      if (error instanceof Exit && error.status === 0) return 0;
      throw error;
    } finally {
      host.endPrints();
    }
  }

  #global(name: string): WrittenValue {
    if (this.#place) return this.#place.loaded.global(name);
    throw new CallFault('ReferenceError', 'the module ended itself before it had started');
  }

  #putFiles({ files }: RunRequest, buffers: readonly Uint8Array[]): void {
    for (const [path, tree] of files) {
      const content = readValue(tree, buffers) as string | Uint8Array;
      const isPut = this.#files.put(
        path,
        typeof content === 'string' ? new TextEncoder().encode(content) : content,
      );
      if (!isPut) throw new CallFault('TypeError', `there is no space for the file ${path}`);
    }
  }

  #code({ code, bytes }: RunRequest, buffers: readonly Uint8Array[]): Uint8Array {
    if (bytes !== undefined) return readValue(bytes, buffers) as Uint8Array;
    const { compileText } = this.#parts;
    if (code.trim() === '' || !compileText) return new Uint8Array();
    return compileText(code);
  }

  #host(settings: RunSettings, outputBytes: number): WasiHost {
    const { interrupt, output } = this.#parts;
    const { seed, timeMs, given, stdin } = settings;
    const directory = this.#files.openFolder('.', this.#directory);
    if (!directory)
      throw new CallFault('TypeError', `there is no folder ${this.#directory}, nor space for one`);
    return new WasiHost({
      files: this.#files,
      directory,
      output,
      clock: timeMs === undefined ? machineClock(interrupt) : countingClock(timeMs),
      random: seed === undefined ? systemRandom : seededRandom(seed),
      mustStop: () => interrupt !== undefined && isInterrupted(interrupt),
      args: ['module', ...given.map(toText)],
      environment: Object.entries(this.#environment),
      stdin,
      outputBytes,
    });
  }

  /** Without code a session goes on with the module that it has. */
  #loaded(code: Uint8Array, host: WasiHost, fuel: number | undefined): Place {
    const present = this.#place;
    if (code.length === 0) {
      if (!present)
        throw new CallFault('ReferenceError', 'there is no code, and no module of an earlier run');
      present.slot.current = host;
      present.loaded.bind(host);
      present.loaded.refuel(fuel);
      return present;
    }
    this.#place = undefined;
    const slot = new HostSlot(host);
    const place = {
      slot,
      loaded: LoadedModule.load(code, { memoryBytes: this.#parts.memoryBytes, fuel }, slot),
    };
    this.#place = place;
    return place;
  }

  #call(loaded: LoadedModule, { call, given }: RunSettings): WrittenValue {
    const entry = loaded.entry(call);
    if (entry === undefined) return null;
    if (!loaded.isCommand(entry)) return loaded.call(entry, given);
    loaded.call(entry, []);
    return 0;
  }
}

function newFiles({ fileBytes }: WasmParts): GuestFiles {
  restartFileNumbers();
  return new GuestFiles(fileBytes);
}

/** Whatever a module did is a result. */
function resultOf(error: unknown): unknown {
  if (error instanceof ModuleFault) {
    return error.kind === 'memory'
      ? { type: 'exceeded', limit: 'memory' }
      : { type: 'syntax-error', message: short(error.message), line: null, column: null };
  }
  if (error instanceof TextFault) {
    const { message, line, column } = error;
    return { type: 'syntax-error', message: short(message), line, column };
  }
  if (error instanceof WebAssembly.CompileError) {
    return { type: 'syntax-error', message: short(error.message), line: null, column: null };
  }
  // the page knows why it asked; what is answered here is not read
  if (error instanceof RunOver) return { type: 'exceeded', limit: 'output' };
  if (error instanceof OutOfFuel) return { type: 'exceeded', limit: 'fuel', allowed: error.allowed };
  if (error instanceof Exit) return threw('SystemExit', String(error.status));
  return thrown(error);
}

function thrown(error: unknown): unknown {
  if (error instanceof CallFault) return threw(error.type, error.message);
  if (error instanceof WebAssembly.LinkError) return threw('LinkError', error.message);
  if (!(error instanceof Error))
    return threw('WasmException', 'an exception of the module that nothing caught');
  if (error instanceof RangeError && /could not allocate|failed to allocate/iu.test(error.message)) {
    return { type: 'exceeded', limit: 'memory' };
  }
  const isTrap = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  const frames = trapFrames(error.stack ?? '');
  return isTrap
    ? threw('WasmTrap', trapKind(error.message), frames)
    : threw(error.name, error.message, frames);
}

function threw(type: string, message: string, frames: readonly string[] = []): unknown {
  const text = short(message);
  const traceback = [`${type}: ${text}`, ...frames].join('\n');
  return { type: 'threw', error: { type, message: text, traceback, line: null } };
}
