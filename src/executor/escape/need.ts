/** What a guest's worker has of the platform, asked there: engines differ, and so do pages. */
import type { EscapeNeed, EscapeRealm } from './attempt.ts';
import { describeEnd } from './attempt.ts';

/** Each throws where it is missing. They ask the platform, not what we hand to a guest: memory that we forgot to share is no excuse. */
const probes: Readonly<Record<EscapeNeed, string>> = {
  'shared memory':
    'const { port1 } = new MessageChannel();\nport1.postMessage(new SharedArrayBuffer(4));\nAtomics.load(new Int32Array(new SharedArrayBuffer(4)), 0)',
};

const nameOf = (need: EscapeNeed): string => `need/${need}`;
const needs = Object.keys(probes) as EscapeNeed[];

/** For the guests that are asked. */
export const needScripts: Readonly<Record<string, string>> = Object.fromEntries(
  needs.map((need) => [nameOf(need), probes[need]]),
);

/** What guests of this realm do not have. Throws when none could be asked. */
export async function findLacking({ executors }: EscapeRealm): Promise<ReadonlySet<EscapeNeed>> {
  const lacking = new Set<EscapeNeed>();
  for (const need of needs) {
    const outcome = await executors.worker.execute(nameOf(need));
    if (outcome.type === 'threw') lacking.add(need);
    else if (outcome.type !== 'returned')
      throw new Error(`whether a guest has ${need} is not known: ${describeEnd(outcome)}`);
  }
  return lacking;
}
