/** A module that was let in, and the calls into it. */
import { WASIProcExit } from '@bjorn3/browser_wasi_shim';
import type { ReadValue, WrittenValue } from '../../../guest/guest-values.ts';
import { CallFault, fromResult, toArguments } from './arguments.ts';
import { capModule, capRange } from './cap-module.ts';
import { readModule } from './module-shape.ts';
import type { ModuleShape } from './module-shape.ts';
import type { WasiHost } from './wasi-host.ts';

/** What WASI calls itself, in its first version and its predecessor's last. */
const wasiModules: readonly string[] = ['wasi_snapshot_preview1', 'wasi_unstable'];
/** What is called when nobody says what. */
const entries: readonly string[] = ['_start', 'main'];

/** The module ended itself. */
export class Exit extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.status = status;
  }
}

export class LoadedModule {
  readonly #shape: ModuleShape;
  readonly #instance: WebAssembly.Instance;
  readonly #memory: WebAssembly.Memory | undefined;

  private constructor(
    shape: ModuleShape,
    instance: WebAssembly.Instance,
    memory: WebAssembly.Memory | undefined,
  ) {
    this.#shape = shape;
    this.#instance = instance;
    this.#memory = memory;
  }

  /**
   * Checks, caps, compiles and instantiates; a start section runs here. Throws `ModuleFault`, or the engine's own errors.
   * @param host called for as long as the instance lives
   */
  static load(code: Uint8Array, memoryBytes: number, host: HostSlot): LoadedModule {
    const shape = readModule(code);
    const module = new WebAssembly.Module(capModule(shape, { memoryBytes }));
    const imports: Record<string, WebAssembly.ModuleImports> = Object.create(null) as never;
    for (const name of wasiModules) imports[name] = { ...host.imports };
    // what is not given is then told by its own name
    for (const { module: from } of WebAssembly.Module.imports(module)) imports[from] ??= {};
    const { importedMemory } = shape;
    let memory: WebAssembly.Memory | undefined;
    if (importedMemory) {
      memory = new WebAssembly.Memory(capRange(importedMemory, memoryBytes));
      imports[importedMemory.module] = { ...imports[importedMemory.module], [importedMemory.name]: memory };
      host.current.memory = memory;
    }
    const instance = new WebAssembly.Instance(module, imports);
    const exported = instance.exports['memory'];
    const own = exported instanceof WebAssembly.Memory ? exported : memory;
    const loaded = new LoadedModule(shape, instance, own);
    loaded.bind(host.current);
    // a library that needs to be told once that it is used
    if (!shape.exports.has('_start') && shape.exports.has('_initialize')) loaded.call('_initialize', []);
    return loaded;
  }

  /** From now on pointers of this run's WASI calls are meant in this module's memory. */
  bind(host: WasiHost): void {
    if (this.#memory) host.memory = this.#memory;
  }

  /** What a run calls: the function that was named, or where the module starts; `undefined` when it has neither. */
  entry(named: string | undefined): string | undefined {
    const { exports } = this.#shape;
    if (named === undefined) return entries.find((name) => exports.has(name));
    if (exports.has(named)) return named;
    throw new CallFault('ReferenceError', `the module exports no function "${named}"`);
  }

  isCommand(name: string): boolean {
    return name === '_start';
  }

  /** Throws `CallFault`, {@link Exit}, or what the engine and the host throw. */
  call(name: string, given: readonly ReadValue[]): WrittenValue {
    const signature = this.#shape.functions[this.#shape.exports.get(name) ?? -1];
    const callee = this.#instance.exports[name];
    if (!signature || typeof callee !== 'function') {
      throw new CallFault('ReferenceError', `the module exports no function "${name}"`);
    }
    const values = toArguments(name, signature, given);
    try {
      return fromResult(name, (callee as (...values: readonly unknown[]) => unknown)(...values));
    } catch (error) {
      throw error instanceof WASIProcExit ? new Exit(error.code) : error;
    }
  }

  /** The value of an exported global. */
  global(name: string): WrittenValue {
    const { exports } = this.#instance;
    const exported = Object.hasOwn(exports, name) ? exports[name] : undefined;
    if (exported instanceof WebAssembly.Global) return fromResult(name, exported.value);
    throw new CallFault('ReferenceError', `the module exports no global "${name}"`);
  }
}

/** Where an instance finds the host of the run that calls it: an instance may live for many runs. */
export class HostSlot {
  readonly imports: WebAssembly.ModuleImports;
  #current: WasiHost;

  constructor(host: WasiHost) {
    this.#current = host;
    const names = Object.keys(host.imports);
    const forward = (name: string) => {
      return (...values: readonly unknown[]): unknown => {
        const call = this.#current.imports[name] as (...given: readonly unknown[]) => unknown;
        return call(...values);
      };
    };
    this.imports = Object.fromEntries(names.map((name) => [name, forward(name)] as const));
  }

  get current(): WasiHost {
    return this.#current;
  }

  set current(host: WasiHost) {
    this.#current = host;
  }
}
