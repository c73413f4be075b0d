/** A module that was let in, and the calls into it. */
import { WASIProcExit } from '@bjorn3/browser_wasi_shim';
import type { ReadValue, WrittenValue } from '../../../guest/guest-values.ts';
import { CallFault, fromResult, toArguments } from './arguments.ts';
import { capModule, capRange } from './cap-module.ts';
import { fuelModule } from './fuel.ts';
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

/** The fuel of a run was used up. */
export class OutOfFuel extends Error {
  readonly allowed: number;

  constructor(allowed: number) {
    super(`${allowed} of fuel were used up`);
    this.allowed = allowed;
  }
}

/** What a module may use. */
export interface ModuleAllowance {
  readonly memoryBytes: number;
  /** Default: it is not counted. */
  readonly fuel?: number | undefined;
}

/** More than a module uses in the life of a machine. */
const endless = 2n ** 62n;

export class LoadedModule {
  readonly #shape: ModuleShape;
  readonly #instance: WebAssembly.Instance;
  readonly #memory: WebAssembly.Memory | undefined;
  /** What is left, of a module that counts it. */
  readonly #tank: WebAssembly.Global | undefined;
  #fuel = 0;

  private constructor(
    shape: ModuleShape,
    instance: WebAssembly.Instance,
    { memory, tank }: { readonly memory: WebAssembly.Memory | undefined; readonly tank: unknown },
  ) {
    this.#shape = shape;
    this.#instance = instance;
    this.#memory = memory;
    this.#tank = tank instanceof WebAssembly.Global ? tank : undefined;
  }

  /**
   * Checks, caps, compiles and instantiates; a start section runs here. Throws `ModuleFault`, or the engine's own errors.
   * @param host called for as long as the instance lives
   */
  static load(code: Uint8Array, { memoryBytes, fuel }: ModuleAllowance, host: HostSlot): LoadedModule {
    const given = readModule(code);
    const fuelled = fuel === undefined ? undefined : fuelModule(given, fuel);
    const shape = fuelled ? readModule(fuelled.bytes) : given;
    const { instance, memory } = instantiate(shape, memoryBytes, host);
    const tank = fuelled && instance.exports[fuelled.fuelName];
    const loaded = new LoadedModule(shape, instance, { memory, tank });
    loaded.bind(host.current);
    if (fuel !== undefined) loaded.refuel(fuel);
    if (fuelled?.startName !== undefined) loaded.call(fuelled.startName, []);
    // a library that needs to be told once that it is used
    if (!shape.exports.has('_start') && shape.exports.has('_initialize')) loaded.call('_initialize', []);
    return loaded;
  }

  /** From now on pointers of this run's WASI calls are meant in this module's memory. */
  bind(host: WasiHost): void {
    if (this.#memory) host.memory = this.#memory;
  }

  /** For the next run. @param fuel undefined: as much as it likes. Throws `CallFault` for a module that does not count it */
  refuel(fuel: number | undefined): void {
    if (fuel !== undefined && !this.#tank) throw uncounted();
    this.#fuel = fuel ?? Infinity;
    if (this.#tank) this.#tank.value = fuel === undefined ? endless : BigInt(fuel);
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

  /** Throws `CallFault`, {@link Exit}, {@link OutOfFuel}, or what the engine and the host throw. */
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
      throw this.#tank && this.#tank.value < 0n ? new OutOfFuel(this.#fuel) : asExit(error);
    }
  }

  /** The value of an exported global; `fuel` is what is left, whatever the module exports by that name. Throws `CallFault`. */
  global(name: string): WrittenValue {
    if (name === 'fuel') {
      if (!this.#tank) throw uncounted();
      return fromResult(name, this.#tank.value);
    }
    const { exports } = this.#instance;
    const exported = Object.hasOwn(exports, name) ? exports[name] : undefined;
    if (exported instanceof WebAssembly.Global) return fromResult(name, exported.value);
    throw new CallFault('ReferenceError', `the module exports no global "${name}"`);
  }
}

const uncounted = (): CallFault =>
  new CallFault('TypeError', 'the module counts no fuel: it was loaded without any');

/** An instance, and the memory that its calls mean. */
function instantiate(
  shape: ModuleShape,
  memoryBytes: number,
  host: HostSlot,
): { readonly instance: WebAssembly.Instance; readonly memory: WebAssembly.Memory | undefined } {
  const module = new WebAssembly.Module(capModule(shape, { memoryBytes }));
  const imports: Record<string, WebAssembly.ModuleImports> = Object.create(null) as never;
  for (const name of wasiModules) imports[name] = withoutPrototype(host.imports);
  // what is not given is then told by its own name
  for (const { module: from } of WebAssembly.Module.imports(module)) imports[from] ??= withoutPrototype({});
  const { importedMemory } = shape;
  let memory: WebAssembly.Memory | undefined;
  if (importedMemory) {
    memory = new WebAssembly.Memory(capRange(importedMemory, memoryBytes));
    const given = { ...imports[importedMemory.module], [importedMemory.name]: memory };
    imports[importedMemory.module] = withoutPrototype(given);
    host.current.memory = memory;
  }
  const instance = start(module, imports);
  const exported = instance.exports['memory'];
  return { instance, memory: exported instanceof WebAssembly.Memory ? exported : memory };
}

/** A start section may end the run. */
function start(module: WebAssembly.Module, imports: WebAssembly.Imports): WebAssembly.Instance {
  try {
    return new WebAssembly.Instance(module, imports);
  } catch (error) {
    throw asExit(error);
  }
}

const asExit = (error: unknown): unknown => (error instanceof WASIProcExit ? new Exit(error.code) : error);

/** A module may ask for `constructor` or `__proto__`: it must find no object of ours behind such a name. */
function withoutPrototype(given: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
  return Object.assign(Object.create(null) as WebAssembly.ModuleImports, given);
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
