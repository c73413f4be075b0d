/** Speaks with Postgres, which runs in this thread: a message goes in, and all its answers come before the call returns. */
import type { StartedPostgres } from './load-postgres.ts';
import { copyFail, joinMessages, MessageReader, sync } from './wire.ts';

/** Thrown by nobody but an end of its process that Postgres means. */
const longJump = 100;

/** Postgres cannot go on. */
export class BackendEnded extends Error {}

/** Gets the body of an answer, or its beginning, and how long the body is. It keeps no view of it. */
export type Receive = (type: string, body: Uint8Array, sizeBytes: number) => void;

/** Whether a transaction is open: none, one that goes on, one that failed. */
export type TransactionState = 'idle' | 'open' | 'failed';

const states: Readonly<Record<string, TransactionState>> = { I: 'idle', T: 'open', E: 'failed' };

export class Backend {
  readonly #postgres: StartedPostgres;
  readonly #reader: MessageReader;
  #input: Uint8Array = new Uint8Array(0);
  #at = 0;
  #isCopying = false;
  #receive: Receive = () => undefined;
  transaction: TransactionState = 'idle';

  constructor(postgres: StartedPostgres) {
    this.#postgres = postgres;
    this.#reader = new MessageReader((type, body, sizeBytes) => this.#answer(type, body, sizeBytes));
    const { module } = postgres;
    const read = module.addFunction((pointer, length) => this.#read(pointer, length), 'ipi');
    const write = module.addFunction((pointer, length) => this.#write(pointer, length), 'ipi');
    module._pgl_set_rw_cbs(read, write);
  }

  /** The statement that runs ends as soon as Postgres looks. */
  cancel(): void {
    this.#postgres.setCancel(true);
  }

  /**
   * Throws {@link BackendEnded}, with the reason as its cause.
   * @param maxBytes the most that is wanted of one answer
   */
  send(message: Uint8Array, maxBytes: number, receive: Receive): void {
    this.#input = message;
    this.#at = 0;
    this.#isCopying = false;
    this.#receive = receive;
    this.#reader.maxBytes = maxBytes;
    this.#reader.reset();
    const { module } = this.#postgres;
    // what came too late for the last statement must not hit this one
    this.#postgres.setCancel(false);
    try {
      while (this.#at < this.#input.length || module._pq_buffer_remaining_data() > 0) this.#step();
      module._PostgresSendReadyForQueryIfNecessary();
      module._pgl_pq_flush();
    } catch (error) {
      throw error instanceof BackendEnded ? error : new BackendEnded('Postgres ended', { cause: error });
    }
  }

  /** One message of the input. */
  #step(): void {
    const { module } = this.#postgres;
    const stack = module.stackSave();
    try {
      module._PostgresMainLoopOnce();
    } catch (error) {
      if ((error as { status?: unknown } | null)?.status !== longJump) throw error;
      module.stackRestore(stack);
      // where Postgres goes on after an error
      module._PostgresMainLongJmp();
    }
  }

  #read(pointer: number, length: number): number {
    if (this.#at >= this.#input.length && this.#isCopying) {
      this.#isCopying = false;
      // what was sent behind the statement was read as nothing to be copied
      this.#input = joinMessages([copyFail('nothing was given to be copied'), sync]);
      this.#at = 0;
    }
    const part = this.#input.subarray(this.#at, this.#at + length);
    this.#postgres.module.HEAPU8.set(part, pointer);
    this.#at += part.length;
    return part.length;
  }

  #write(pointer: number, length: number): number {
    this.#reader.push(this.#postgres.module.HEAPU8.subarray(pointer, pointer + length));
    return length;
  }

  #answer(type: string, body: Uint8Array, sizeBytes: number): void {
    if (type === 'G') this.#isCopying = true;
    else if (type === 'Z') this.transaction = states[String.fromCharCode(body[0] ?? 0)] ?? 'failed';
    this.#receive(type, body, sizeBytes);
  }
}
