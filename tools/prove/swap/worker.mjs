// Two versions of one module, which say who answers and in which order calls began.
import { Module, Parameter } from '../../../src/index.ts';
import { serve } from '../../../src/worker.ts';

/** Calls that have begun in this worker, whichever version they went to. */
let begun = 0;

const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

class Counter extends Module {
  answered = new Parameter({ type: 'number', value: 0 });

  /** @param {{ workMs: number }} input */
  async forward({ workMs }) {
    const position = ++begun;
    // some calls are still under way when another version takes over
    if (workMs > 0) await sleep(workMs);
    this.answered.set(this.answered.value + 1, 'forward');
    return { position, version: this.constructor.version };
  }
}

/** The limit in another unit, if the state has one: what was never set is not stored. */
function convert(state, from, to, factor) {
  const { [from]: limit, ...parameters } = state.parameters;
  if (!limit) return state;
  return { ...state, parameters: { ...parameters, [to]: { ...limit, value: limit.value * factor } } };
}

class Counter_1_0 extends Counter {
  static version = '1.0.0';
  static migrate = (state) => convert(state, 'limitMs', 'limitSeconds', 1 / 1000);
  limitSeconds = new Parameter({ type: 'number', value: 3 });
}

class Counter_1_1 extends Counter {
  static version = '1.1.0';
  static migrate = (state) => convert(state, 'limitSeconds', 'limitMs', 1000);
  limitMs = new Parameter({ type: 'number', value: 3000 });
}

serve({ counter: [Counter_1_0, Counter_1_1] });
