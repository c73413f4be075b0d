// The worker that availability.mjs loads and kills.
import { Module, Parameter } from '../../../src/index.ts';
import { serve } from '../../../src/worker.ts';

class Adder extends Module {
  total = new Parameter({ type: 'number', value: 0 });

  /** @param {{ a: number, b: number }} input */
  async forward({ a, b }) {
    await Promise.resolve();
    return { sum: a + b };
  }
}

serve({ adder: Adder });
