/** What the bench takes for the state of modules: five keys each, of the sizes that programs have. */
import type { Key } from '../key.ts';
import type { KeyedValue } from '../snapshot/point-in-time.ts';
import type { Store, Write } from '../store.ts';

const wordsOf = (count: number, seed: number): string =>
  Array.from({ length: count }, (_, index) => `word${(index * 7919 + seed) % 997}`).join(' ');

/** An instruction of 100 words, four demos of 60, a history of ten scores, settings, counters: about 4 KB. */
export function moduleEntries(module: number, generation: number): readonly KeyedValue[] {
  const seed = module * 31 + generation;
  const values: Readonly<Record<string, unknown>> = {
    instruction: { text: wordsOf(100, seed), revision: generation },
    demos: Array.from({ length: 4 }, (_, index) => ({
      question: wordsOf(30, seed + index),
      answer: wordsOf(30, seed + index + 1),
      score: index / 4,
    })),
    history: Array.from({ length: 10 }, (_, index) => ({ step: index, score: Math.sin(seed + index) })),
    settings: { model: 'small', temperature: 0.7, maxTokens: 1000, stop: ['\n\n'], isCached: true },
    counters: { calls: seed, failures: generation, tokensIn: seed * 100, tokensOut: seed * 10 },
  };
  const key = (part: string): Key => ['module', `module-${String(module).padStart(5, '0')}`, part];
  return Object.entries(values).map(([part, value]) => ({ key: key(part), value }));
}

export function allEntries(modules: number, generation: number): readonly KeyedValue[] {
  return Array.from({ length: modules }, (_, module) => moduleEntries(module, generation)).flat();
}

export async function putEntries(store: Store, entries: readonly KeyedValue[]): Promise<void> {
  const writes = entries.map(({ key, value }): Write => ({ type: 'put', key, value }));
  await store.commit(writes, { durability: 'relaxed' });
}
