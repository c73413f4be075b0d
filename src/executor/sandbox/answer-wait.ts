/**
 * Waits for an answer and doubts itself: when a timer of its own fired late (a sleeping page, a breakpoint, a long task), the answer may be
 * there and unread, so the silence proves nothing; it asks once more and waits the whole time again.
 */
import type { Clock } from '../../platform/index.ts';

export interface AnswerWaitOptions {
  readonly clock: Clock;
  readonly answerMs: number;
  /** Sends a sign that wants an answer. */
  readonly onDoubt: () => void;
  /** Called at most once, and nothing after it. */
  readonly onSilence: () => void;
}

/** The wait is cut into so many parts: a stall then shows as one that is late, even when the whole ends on time. */
const parts = 5;
/** A part is late when it took this much longer than asked for. */
const lateFactor = 1.5;
/** A page whose timers are always late, as a hidden one's can be, must still find out. */
const maxDoubts = 3;

/** The returned function ends the wait. */
export function waitForAnswer({ clock, answerMs, onDoubt, onSilence }: AnswerWaitOptions): () => void {
  const partMs = answerMs / parts;
  let doubtsLeft = maxDoubts;
  let cancelTimer = (): void => undefined;
  const wait = (partsLeft: number): void => {
    const startMs = clock.monotonic();
    cancelTimer = clock.after(partMs, () => {
      const isLate = clock.monotonic() - startMs > partMs * lateFactor;
      if (isLate && doubtsLeft > 0) {
        doubtsLeft -= 1;
        wait(parts);
        onDoubt();
      } else if (partsLeft > 1) wait(partsLeft - 1);
      else onSilence();
    });
  };
  wait(parts);
  return () => cancelTimer();
}
