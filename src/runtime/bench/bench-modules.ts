/** Modules that the benchmark hosts. */
import { Module, Parameter } from '../../program/index.ts';

/** Two parameters and a forward that does next to nothing. */
export class BenchCounter extends Module<{ readonly by: number }, { readonly total: number }> {
  readonly total: Parameter<number> = new Parameter({
    type: 'number',
    value: 0,
    constraints: { min: 0, max: 1_000_000 },
  });
  readonly label: Parameter<string> = new Parameter({ type: 'string', value: 'count' });

  override async forward({ by }: { readonly by: number }): Promise<{ readonly total: number }> {
    return { total: this.total.value + by };
  }
}

/** Collects the garbage of its worker, where the browser was told to let it. */
export class Collector extends Module<null, boolean> {
  override async forward(): Promise<boolean> {
    const { gc } = globalThis as { gc?: () => void };
    gc?.();
    return gc !== undefined;
  }
}

export const benchModules = { counter: BenchCounter, collector: Collector };
