/** The worker's side: many actors behind one port. Also runs on the page where there is no Worker. */
import { CodedError, toCodedError } from '../base/index.ts';
import { hasLocks, holdLock, randomHex, systemRandom } from '../platform/index.ts';
import { Peer } from '../port/index.ts';
import type { IncomingCall, Port, PortLimits } from '../port/index.ts';
import type { ActorContext, StartBehaviour } from './behaviour.ts';
import { Cell } from './cell.ts';
import type { ExitReason } from './cell.ts';
import { defaultActorLimits } from './limits.ts';
import type { ActorLimits } from './limits.ts';
import { hostAddress, pageAddress } from './protocol.ts';
import type { SpawnRequest, StopRequest } from './protocol.ts';

export interface HostOptions {
  readonly limits?: ActorLimits;
  readonly portLimits?: PortLimits;
  /** Whether to hold a Web Lock as a sign of life. A host on the page must not: the page would outlive it. Default true. */
  readonly holdsLock?: boolean;
}

export class Host {
  readonly #kinds: Readonly<Record<string, StartBehaviour>>;
  readonly #limits: ActorLimits;
  readonly #cells = new Map<string, Cell>();
  readonly #peer: Peer;

  constructor(port: Port, kinds: Readonly<Record<string, StartBehaviour>>, options: HostOptions = {}) {
    this.#kinds = kinds;
    this.#limits = options.limits ?? defaultActorLimits;
    this.#peer = new Peer(port, {
      onCall: (call) => this.#onCall(call),
      onMessage: (message) => this.#cells.get(message.to)?.receive(message),
      ...(options.portLimits ? { limits: options.portLimits } : {}),
    });
    void this.#sayHello(options.holdsLock ?? true);
  }

  close(): void {
    for (const cell of this.#cells.values()) this.#drop(cell);
    this.#peer.close(new CodedError('actor/peer-died', 'the host was closed'));
  }

  async #sayHello(holdsLock: boolean): Promise<void> {
    let lock: string | undefined;
    if (holdsLock && hasLocks) {
      lock = `vivarium-alive-${randomHex(systemRandom, 8)}`;
      await holdLock(lock).catch(() => (lock = undefined));
    }
    this.#peer.send(pageAddress, 'host-ready', { lock, kinds: Object.keys(this.#kinds) });
  }

  #onCall(call: IncomingCall): unknown {
    const cell = this.#cells.get(call.to);
    if (cell) return cell.call(call);
    if (call.to !== hostAddress) throw this.#unknown(call.to);
    if (call.method === 'actor-spawn') return this.#spawn(call);
    if (call.method === 'actor-stop') return this.#stop(call);
    throw new CodedError('actor/method-not-found', `the host has no method "${call.method}"`);
  }

  async #spawn(call: IncomingCall): Promise<void> {
    const { actor, kind, args, incarnation } = call.body as SpawnRequest;
    const start = Object.hasOwn(this.#kinds, kind) ? this.#kinds[kind] : undefined;
    if (!start) {
      const known = Object.keys(this.#kinds);
      throw new CodedError(
        'actor/kind-not-found',
        `no kind "${kind}" is served here; there are: ${known.join(', ')}`,
        {
          fields: { kind, known },
        },
      );
    }
    if (this.#cells.has(actor)) {
      throw new CodedError('actor/already-started', `actor "${actor}" already runs`, { fields: { actor } });
    }
    const cell = new Cell(actor, this.#limits, (reason, error) => this.#onExit(cell, reason, error));
    this.#cells.set(actor, cell);
    // a page that no longer waits has forgotten the actor: its id must be free here too
    call.signal.addEventListener('abort', () => this.#drop(cell), { once: true });
    try {
      await this.#begin(cell, () => start(args, this.#contextOf(cell, incarnation)));
    } catch (error) {
      this.#drop(cell);
      throw toCodedError(error, 'actor/start-failed');
    }
  }

  async #begin(cell: Cell, start: () => ReturnType<StartBehaviour>): Promise<void> {
    const behaviour = await start();
    if (!cell.isOver) return cell.begin(behaviour);
    await behaviour.stop?.();
    throw new CodedError('actor/start-failed', `actor "${cell.id}" ended while it started`, {
      fields: { actor: cell.id },
    });
  }

  async #stop(call: IncomingCall): Promise<void> {
    const { actor, isKill } = call.body as StopRequest;
    const cell = this.#cells.get(actor);
    if (!cell) return;
    if (isKill) return this.#drop(cell);
    call.signal.addEventListener('abort', () => this.#drop(cell), { once: true });
    await cell.stop();
  }

  /** Ends a cell of which the page knows already. */
  #drop(cell: Cell): void {
    if (this.#cells.get(cell.id) === cell) this.#cells.delete(cell.id);
    cell.exit('shutdown');
  }

  #contextOf(cell: Cell, incarnation: number): ActorContext {
    return {
      actor: cell.id,
      incarnation,
      callPage: (service, method, body, options = {}) =>
        cell.isOver ? Promise.reject(cell.died()) : this.#peer.call(service, method, body, options),
      sendPage: (service, method, body) => {
        if (!cell.isOver) this.#peer.send(service, method, body);
      },
      sendPageForWorker: (service, method, body) => this.#peer.send(service, method, body),
      exit: (error) => cell.exit(error ? 'crashed' : 'normal', error),
    };
  }

  #onExit(cell: Cell, reason: ExitReason, error: CodedError | undefined): void {
    if (this.#cells.get(cell.id) !== cell) return;
    this.#cells.delete(cell.id);
    if (!cell.hasBegun) return;
    const report = error ? { code: error.code, message: error.message } : undefined;
    this.#peer.send(pageAddress, 'actor-exit', { actor: cell.id, reason, error: report });
  }

  #unknown(actor: string): CodedError {
    return new CodedError('actor/peer-died', `no actor "${actor}" runs in this worker`, {
      fields: { actor },
      isRetryable: true,
    });
  }
}
