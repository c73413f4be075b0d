/** One worker as the page sees it: its port, its actors, and every way in which it can end. */
import { CodedError } from '../base/index.ts';
import { hasLocks, lockFreed } from '../platform/index.ts';
import type { Clock } from '../platform/index.ts';
import { Peer } from '../port/index.ts';
import type { IncomingCall, IncomingMessage, Port, PortLimits } from '../port/index.ts';
import type { Hub } from '../telemetry/index.ts';
import type { BootLimit } from './boot-limit.ts';
import { EndedActors } from './ended-actors.ts';
import type { ActorLimits } from './limits.ts';
import { isActorExit, isHostReady, pageAddress } from './protocol.ts';
import type { ActorExit, HostReady } from './protocol.ts';
import { startWatchdog } from './watchdog.ts';

/** A started realm: a worker, or a host on the page itself. */
export interface Realm {
  readonly port: Port;
  /** Ends the realm at once. */
  terminate(): void;
  /** Reports that the realm could not load. */
  onLoadError(listener: (message: string) => void): void;
  /** Reports what nobody caught in a realm that runs. It goes on running. */
  onUncaught?(listener: (message: string) => void): void;
}

export interface SlotOptions {
  readonly id: string;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly limits: ActorLimits;
  /** What workers of the same code took to start. */
  readonly boots: BootLimit;
  readonly portLimits: PortLimits | undefined;
  /** Off for a host on the page: it cannot outlive the page, and the page cannot be killed. */
  readonly isWatched: boolean;
  readonly onCall: (slot: Slot, call: IncomingCall) => unknown;
  readonly onMessage: (slot: Slot, message: IncomingMessage) => void;
  readonly onActorExit: (slot: Slot, exit: ActorExit) => void;
  readonly onLost: (slot: Slot, cause: string) => void;
}

export class Slot {
  readonly id: string;
  readonly peer: Peer;
  readonly actors: Set<string> = new Set();
  readonly ended: EndedActors = new EndedActors();
  /** Resolves when the host has said hello; rejects with `actor/worker-start-failed`. */
  readonly ready: Promise<HostReady>;
  /** One actor has the whole worker. */
  isDedicated = false;
  #isReady = false;
  readonly #realm: Realm;
  readonly #options: SlotOptions;
  readonly #gone = new AbortController();
  #stopWatchdog = (): void => undefined;
  #onReady: (ready: HostReady) => void = () => undefined;

  constructor(realm: Realm, options: SlotOptions) {
    this.id = options.id;
    this.#realm = realm;
    this.#options = options;
    this.peer = new Peer(realm.port, {
      clock: options.clock,
      ...(options.portLimits ? { limits: options.portLimits } : {}),
      onCall: (call) => options.onCall(this, call),
      onMessage: (message) =>
        message.to === pageAddress ? this.#onLifecycle(message) : options.onMessage(this, message),
      onViolation: (reason) => this.#onViolation(reason),
    });
    this.ready = this.#boot();
    this.ready.catch(() => undefined);
  }

  /** It has said hello: what was sent to it before waits in the worker, or nowhere. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get isLost(): boolean {
    return this.#gone.signal.aborted;
  }

  /** Ends the worker. Everything that waits on it ends with `actor/peer-died`. */
  kill(cause: string): void {
    if (this.isLost) return;
    const error = new CodedError('actor/peer-died', `worker ${this.id} is gone: ${cause}`, {
      fields: { worker: this.id, cause },
      isRetryable: true,
    });
    this.#gone.abort(error);
    this.#stopWatchdog();
    this.peer.close(error);
    this.#realm.terminate();
    this.#options.onLost(this, cause);
  }

  async #boot(): Promise<HostReady> {
    const { boots, hub } = this.#options;
    const ready = await new Promise<HostReady>((resolve, reject) => {
      const fail = (message: string): void => {
        reject(new CodedError('actor/worker-start-failed', message, { fields: { worker: this.id } }));
        this.kill('start-failed');
      };
      const boot = boots.watch((limitMs) => fail(`no hello within ${Math.round(limitMs)} ms`));
      this.#gone.signal.addEventListener(
        'abort',
        () => (boot.cancel(), reject(this.#gone.signal.reason as Error)),
      );
      this.#realm.onLoadError((message) => fail(`the worker's code could not be loaded: ${message}`));
      this.#onReady = (answer) => (boot.end(), resolve(answer));
    });
    this.#realm.onUncaught?.((message) =>
      hub.emit({ type: 'note', text: `worker ${this.id}: nobody caught: ${message}` }),
    );
    hub.emit({ type: 'worker-start', worker: this.id });
    this.#watch(ready.lock);
    return ready;
  }

  #watch(lock: string | undefined): void {
    const { clock, limits, hub, isWatched } = this.#options;
    if (!isWatched || this.isLost) return;
    if (lock !== undefined && hasLocks) {
      lockFreed(lock, this.#gone.signal).then(
        () => this.kill('ended'),
        () => undefined,
      );
    }
    this.#stopWatchdog = startWatchdog({
      clock,
      limits,
      ping: (onAnswer) => this.peer.ping(onAnswer),
      onSuspect: (silentMs) => hub.emit({ type: 'watchdog-suspect', worker: this.id, silentMs }),
      onHang: (silentMs) => {
        hub.emit({ type: 'watchdog-kill', worker: this.id, silentMs });
        this.kill('hang');
      },
    });
  }

  #onViolation(reason: string): void {
    this.#options.hub.emit({ type: 'note', text: `worker ${this.id}: ${reason}` });
    // one violation too many closes the peer: its actors cannot be reached any more
    queueMicrotask(() => {
      if (this.peer.isClosed) this.kill('protocol-violation');
    });
  }

  #onLifecycle({ method, body }: IncomingMessage): void {
    if (method === 'host-ready' && isHostReady(body) && !this.#isReady) {
      this.#isReady = true;
      return this.#onReady(body);
    }
    if (method === 'actor-exit' && isActorExit(body) && this.#isReady) {
      return this.#options.onActorExit(this, body);
    }
    this.peer.violate(`a ${method} that is out of order or malformed`);
  }
}
