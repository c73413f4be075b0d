/** Restart budgets refill as time passes, with no event to tell of it: whoever shows one has to look again. */
import type { SupervisorSnapshot } from '../../actor/index.ts';
import type { Clock } from '../../platform/index.ts';

/** Budgets are counted in whole seconds; this is how late a refill may be shown. */
const lookMs = 500;

/** Whether any supervisor of the tree allows fewer restarts than at first. */
function isSpent({ restartsLeft, maxRestarts, children }: SupervisorSnapshot): boolean {
  return restartsLeft < maxRestarts || children.some(({ supervisor }) => supervisor && isSpent(supervisor));
}

/** Asks for another look while a budget is spent, and rests otherwise. */
export class BudgetWatch {
  readonly #clock: Clock;
  readonly #look: () => void;
  #isDue = false;

  constructor(clock: Clock, look: () => void) {
    this.#clock = clock;
    this.#look = look;
  }

  /** What was seen now, by `look` or otherwise. */
  note(supervisor: SupervisorSnapshot): void {
    if (this.#isDue || !isSpent(supervisor)) return;
    this.#isDue = true;
    this.#clock.after(lookMs, () => {
      this.#isDue = false;
      this.#look();
    });
  }
}
