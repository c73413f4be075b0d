// Steady calls to one module, and the accounts of all calls.

const callTimeoutMs = 15_000;
/** On average, between two rounds of one module. */
const pauseMs = 400;
/** One write in so many rounds, and one of so many writes goes to the store. */
const roundsPerWrite = 3;
const writesPerStored = 4;

/** @param {number} delayMs @returns {Promise<void>} */
export const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

/** @typedef {{ asked: number, answered: number, wrong: number, codes: Record<string, number> }} Account */
/** @returns {Account} */
export const createAccount = () => ({ asked: 0, answered: 0, wrong: 0, codes: {} });

/** @param {Account} account */
export const unanswered = ({ asked, answered, wrong, codes }) =>
  asked - answered - wrong - Object.values(codes).reduce((sum, count) => sum + count, 0);

/**
 * One call, in an account that every call enters before it is made.
 * @param {Account} account @param {() => Promise<boolean>} call answers whether the value was right
 */
export async function settle(account, call) {
  account.asked++;
  try {
    if (await call()) account.answered++;
    else account.wrong++;
  } catch (error) {
    const code = error?.code ?? String(error);
    account.codes[code] = (account.codes[code] ?? 0) + 1;
  }
}

/** One module under load: calls of both kinds, and writes whose last acknowledged value is remembered. */
export class Load {
  lost = 0;
  /** The longest that a call had to wait: what a caller sees of an outage. */
  longestMs = 0;
  /** The last value that the store has acknowledged. */
  stored = 0;
  #acknowledged = 0;
  #asked = 0;
  #handle;
  #accounts;

  constructor(handle, accounts) {
    this.#handle = handle;
    this.#accounts = accounts;
  }

  get id() {
    return this.#handle.id;
  }

  /** @param {() => boolean} isOver */
  async run(isOver) {
    await sleep(pauseMs * Math.random());
    for (let round = 1; !isOver(); round++) {
      void settle(this.#accounts.first, () => this.#call(round, false));
      void settle(this.#accounts.retried, () => this.#call(round, true));
      if (round % roundsPerWrite === 0) await this.#write();
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  }

  /** An acknowledged write is lost when the module holds an older value. */
  async check() {
    const value = await this.#handle.parameters.total.get({ timeoutMs: callTimeoutMs });
    if (value < this.#acknowledged || value > this.#asked) this.lost++;
  }

  async #write() {
    const value = ++this.#asked;
    const isStored = value % writesPerStored === 0;
    const level = isStored ? 'relaxed' : 'memory';
    await settle(this.#accounts.writes, async () => {
      await this.#handle.parameters.total.set(value, { level, timeoutMs: callTimeoutMs });
      this.#acknowledged = value;
      if (isStored) this.stored = value;
      return true;
    });
    await settle(this.#accounts.checks, () => this.check().then(() => true));
  }

  async #call(round, isIdempotent) {
    const startedMs = performance.now();
    const input = { a: round, b: 1 };
    const { sum } = await this.#handle.call(input, { isIdempotent, timeoutMs: callTimeoutMs });
    if (isIdempotent) this.longestMs = Math.max(this.longestMs, performance.now() - startedMs);
    return sum === round + 1;
  }
}
