export interface Listener {
  /** Without a slash at the end. `/hit/TOKEN` counts. */
  readonly url: string;
  /** How often TOKEN was reached. */
  hits(token: string): number;
  total(): number;
  close(): Promise<void>;
}

/** Counts whatever reaches it: HTTP, WebSocket upgrades and bare TCP connections. */
export function startListener(port?: number): Promise<Listener>;
