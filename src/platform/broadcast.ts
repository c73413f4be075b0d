/** Notices between realms of one origin. The only place that touches `BroadcastChannel`. */

export interface Broadcast extends Disposable {
  /** Sends a structured clone to every other listener of the same name; a message that cannot be cloned throws. */
  post(message: unknown): void;
}

/** `listener` gets what others post, as unknown: anybody in the origin may post. */
export type OpenBroadcast = (name: string, listener: (message: unknown) => void) => Broadcast;

export const hasBroadcast: boolean = typeof BroadcastChannel !== 'undefined';

/** Joins the channel `name`. Where the platform has none, posts go nowhere. Dispose to leave. */
export const openBroadcast: OpenBroadcast = (name, listener) => {
  if (!hasBroadcast) return { post: () => undefined, [Symbol.dispose]: () => undefined };
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<unknown>) => listener(event.data);
  return {
    post: (message) => channel.postMessage(message),
    [Symbol.dispose]: () => channel.close(),
  };
};

/** A twin within one realm: messages arrive in a later microtask, never at their sender. */
export function createSimulatedBroadcast(): OpenBroadcast {
  const members = new Set<{ readonly name: string; readonly listener: (message: unknown) => void }>();
  return (name, listener) => {
    const self = { name, listener };
    members.add(self);
    return {
      post(message) {
        const copy: unknown = structuredClone(message);
        for (const member of members) {
          if (member === self || member.name !== name) continue;
          queueMicrotask(() => members.has(member) && member.listener(structuredClone(copy)));
        }
      },
      [Symbol.dispose]: () => void members.delete(self),
    };
  };
}
