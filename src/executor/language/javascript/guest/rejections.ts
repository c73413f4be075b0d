/**
 * Promises that were rejected and that nobody has handled yet. The interpreter's C side asks a function of its host about each of them; the binding
 * has no way to set one, so it is written where the runtime keeps it: a place in the table, at an offset of this one build of the interpreter.
 */
import type { QuickJSContext, QuickJSHandle } from 'quickjs-emscripten-core';

/** Of `JSRuntime.host_promise_rejection_tracker`, in the build that the package's version names. */
const trackerOffset = 180;
/** Each holds its promise and its reason in the guest's own memory; what comes later is counted. */
const maxHeld = 1000;

/** Hands on a function of the worker as one of the type that the tracker has: `(i32, i64, i64, i32, i32) -> ()`. */
const adapter = new Uint8Array(
  [
    [0, 97, 115, 109, 1, 0, 0, 0],
    [1, 9, 1, 96, 5, 127, 126, 126, 127, 127, 0],
    [2, 7, 1, 1, 104, 1, 102, 0, 0],
    [7, 5, 1, 1, 102, 0, 0],
  ].flat(),
);
let adapterModule: WebAssembly.Module | undefined;

interface Rejection {
  /** As the interpreter writes the reason. */
  readonly value: bigint;
  readonly promise: QuickJSHandle;
  readonly reason: QuickJSHandle;
}

/** What a run leaves unhandled. */
export interface Unhandled {
  /** To be disposed by whoever takes them. */
  readonly reasons: readonly QuickJSHandle[];
  /** Of more than can be held. */
  readonly others: number;
}

export interface RejectionParts {
  readonly table: WebAssembly.Table;
  readonly memory: WebAssembly.Memory;
  readonly context: QuickJSContext;
}

/** By the upper half, which says what the lower one is. */
const isObject = (value: bigint): boolean => value >> 32n === 0xffff_ffffn;

export class Rejections {
  readonly #context: QuickJSContext;
  readonly #memory: WebAssembly.Memory;
  /** By the promise's own value. */
  readonly #held = new Map<bigint, Rejection>();
  #others = 0;

  /** The same steps for each interpreter: they leave the same memory. */
  constructor({ table, memory, context }: RejectionParts) {
    this.#context = context;
    this.#memory = memory;
    adapterModule ??= new WebAssembly.Module(adapter);
    const track = (_context: number, promise: bigint, reason: bigint, isHandled: number): void =>
      this.#track(promise, reason, isHandled !== 0);
    const { exports } = new WebAssembly.Instance(adapterModule, { h: { f: track } });
    const index = table.grow(1);
    table.set(index, exports['f']);
    // it has a name in the binding, which hides it
    const runtime = (context.runtime as unknown as { readonly rt: { readonly value: number } }).rt.value;
    this.#view().setUint32(runtime + trackerOffset, index, true);
  }

  /** Whoever was told of it from outside has handled it, and with it all others that have the same error. */
  handle(reason: QuickJSHandle, promise?: QuickJSHandle): void {
    if (promise) this.#forget(this.#valueAt(promise));
    const value = this.#valueAt(reason);
    if (!isObject(value)) return;
    for (const [key, held] of this.#held) if (held.value === value) this.#forget(key);
  }

  /** An error is told once, however many promises have it: a module's own, for one, and those of its imports. */
  take(): Unhandled {
    const told = new Set<bigint>();
    const reasons: QuickJSHandle[] = [];
    for (const { promise, reason, value } of this.#held.values()) {
      promise.dispose();
      if (told.has(value) && isObject(value)) reason.dispose();
      else reasons.push(reason);
      told.add(value);
    }
    const others = this.#others;
    this.#held.clear();
    this.#others = 0;
    return { reasons, others };
  }

  #track(promise: bigint, reason: bigint, isHandled: boolean): void {
    const key = BigInt.asUintN(64, promise);
    if (isHandled) this.#forget(key);
    else if (this.#held.size >= maxHeld) this.#others += 1;
    else {
      const value = BigInt.asUintN(64, reason);
      this.#held.set(key, { value, promise: this.#hold(promise), reason: this.#hold(reason) });
    }
  }

  #forget(key: bigint): void {
    const rejection = this.#held.get(key);
    if (!rejection) {
      this.#others = Math.max(0, this.#others - 1);
      return;
    }
    this.#held.delete(key);
    rejection.promise.dispose();
    rejection.reason.dispose();
  }

  #valueAt(handle: QuickJSHandle): bigint {
    return this.#view().getBigUint64(handle.value, true);
  }

  /** A handle is the address of a value: one is lent to the value for as long as it takes to copy it. */
  #hold(value: bigint): QuickJSHandle {
    const lent = this.#context.newNumber(0);
    const before = this.#view().getBigInt64(lent.value, true);
    this.#view().setBigInt64(lent.value, value, true);
    const held = lent.dup();
    this.#view().setBigInt64(lent.value, before, true);
    lent.dispose();
    return held;
  }

  /** Growing memory takes the buffer away. */
  #view(): DataView {
    return new DataView(this.#memory.buffer);
  }
}
