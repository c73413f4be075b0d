// The worker that availability.mjs loads, kills and makes fail.
import { CodedError, Module, Parameter } from '../../../src/index.ts';
import { serve } from '../../../src/worker.ts';

/** A leak ends here: 64 KiB a page, 4 MiB a module. */
const leakPages = 64;
const pagesPerLeak = 8;

class Adder extends Module {
  total = new Parameter({ type: 'number', value: 0 });
  /** @type {WebAssembly.Memory | undefined} */
  memory;

  /** @param {{ a: number, b: number, fault?: 'throw' | 'hang' | 'leak' }} input */
  async forward({ a, b, fault }) {
    await Promise.resolve();
    if (fault === 'throw') throw new CodedError('proof/thrown', 'as asked');
    if (fault === 'leak') return { leakedBytes: this.leak() };
    while (fault === 'hang');
    return { sum: a + b };
  }

  /** Takes memory that it never gives back, until its limit refuses. */
  leak() {
    this.memory ??= new WebAssembly.Memory({ initial: 1, maximum: leakPages });
    try {
      this.memory.grow(pagesPerLeak);
    } catch (error) {
      throw new CodedError('proof/leak-capped', 'the memory has reached its limit', { cause: error });
    }
    return this.memory.buffer.byteLength;
  }
}

serve({ adder: Adder });
