/** A way to another realm: post and listen, nothing more. */
import { CodedError } from '../base/index.ts';

export interface Port {
  /** Throws `port/not-cloneable` when the message cannot be copied. After `close` it does nothing. */
  post(message: unknown, transfer?: readonly Transferable[]): void;
  /** One listener; `undefined` stands for a message that could not be read (`messageerror`). */
  listen(listener: (message: unknown) => void): void;
  close(): void;
}

/** What workers, worker scopes and message ports have in common. */
export interface MessageEndpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message' | 'messageerror', listener: (event: MessageEvent) => void): void;
  removeEventListener(type: 'message' | 'messageerror', listener: (event: MessageEvent) => void): void;
  start?(): void;
  close?(): void;
}

export function notCloneable(cause: unknown): CodedError {
  return new CodedError(
    'port/not-cloneable',
    'the message holds a value that cannot cross to another realm',
    { cause },
  );
}

/** A port over a Worker, a worker's own scope or a MessagePort. Closing does not terminate a worker. */
export function createMessagePort(endpoint: MessageEndpoint): Port {
  let isClosed = false;
  let listener: ((message: unknown) => void) | undefined;
  const onMessage = (event: MessageEvent): void => listener?.(event.data);
  const onMessageError = (): void => listener?.(undefined);
  endpoint.addEventListener('message', onMessage);
  endpoint.addEventListener('messageerror', onMessageError);
  return {
    post(message, transfer = []) {
      if (isClosed) return;
      try {
        endpoint.postMessage(message, transfer as Transferable[]);
      } catch (error) {
        throw notCloneable(error);
      }
    },
    listen(next) {
      listener = next;
      endpoint.start?.();
    },
    close() {
      isClosed = true;
      endpoint.removeEventListener('message', onMessage);
      endpoint.removeEventListener('messageerror', onMessageError);
      listener = undefined;
    },
  };
}

/** The port of the worker that this code runs in, to whoever started it. */
export function createWorkerScopePort(): Port {
  // lib.dom types `self` as a Window; in a worker it is a MessageEndpoint
  return createMessagePort(self as unknown as MessageEndpoint);
}

/** Two ports in one realm that behave like two realms: copied messages, delivered later, in order. */
export function createLoopback(): readonly [Port, Port] {
  const listeners: [((message: unknown) => void)?, ((message: unknown) => void)?] = [];
  const queues: [unknown[], unknown[]] = [[], []];
  let isClosed = false;
  const drain = (side: 0 | 1): void => {
    const listener = listeners[side];
    if (isClosed || !listener || queues[side].length === 0) return;
    const message = queues[side].shift();
    listener(message);
  };
  const side = (mine: 0 | 1, other: 0 | 1): Port => ({
    post(message, transfer = []) {
      if (isClosed) return;
      try {
        queues[other].push(structuredClone(message, { transfer: transfer as Transferable[] }));
      } catch (error) {
        throw notCloneable(error);
      }
      queueMicrotask(() => drain(other));
    },
    listen(listener) {
      listeners[mine] = listener;
      for (let waiting = queues[mine].length; waiting > 0; waiting--) queueMicrotask(() => drain(mine));
    },
    close() {
      isClosed = true;
    },
  });
  return [side(0, 1), side(1, 0)];
}
