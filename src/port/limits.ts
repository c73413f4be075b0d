/** Every bound on what crosses a port, with the harm it prevents. */
export interface PortLimits {
  /** A call without its own limit ends after this long, so that no caller waits for ever. */
  readonly callTimeoutMs: number;
  /** Calls that wait for an answer on one port; more are refused, so that a stuck peer cannot fill memory. */
  readonly maxPendingCalls: number;
  /** Estimated size of one message; larger ones are refused before they are copied. */
  readonly maxMessageBytes: number;
  /** Nesting of one message; deeper ones are refused, so that walking them cannot overflow the stack. */
  readonly maxMessageDepth: number;
  /** Malformed frames taken from one peer before the port is closed as hostile. */
  readonly maxViolations: number;
}

export const defaultPortLimits: PortLimits = {
  callTimeoutMs: 60_000,
  maxPendingCalls: 10_000,
  maxMessageBytes: 64 * 1024 * 1024,
  maxMessageDepth: 200,
  maxViolations: 100,
};
