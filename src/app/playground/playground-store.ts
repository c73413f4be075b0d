/** Which store a tab works on: the playground's own, or a copy that it shares with no other. */
import { CodedError } from '../../base/index.ts';
import type { ModelChoice } from '../../elements/index.ts';
import { randomHex, systemRandom } from '../../platform/index.ts';
import { openIndexedDbStore } from '../../state/index.ts';
import type { Entry, Put, Store } from '../../state/index.ts';
import { modelChoiceKey, pagePrefix } from './kept-keys.ts';

/** The one module of the playground, whatever store it lives in. */
export const moduleId = 'ask-table';

const ownName = 'vivarium-playground';
const wellFormedId = /^[a-z0-9]{1,32}$/u;
/** What a module's state is made of; checkpoints stay where they were made. */
const copiedParts: ReadonlySet<unknown> = new Set(['meta', 'parameter', 'history']);

/** Whether an address may name a copy so. */
export function isCopyId(id: string): boolean {
  return wellFormedId.test(id);
}

/** Eight hex digits. */
export function createCopyId(): string {
  return randomHex(systemRandom, 4);
}

/** @param copyId what the address says after `copy=`; undefined: the playground's own state @throws `app/copy-id-invalid` */
export function storeNameOf(copyId: string | undefined): string {
  if (copyId === undefined) return ownName;
  if (isCopyId(copyId)) return `${ownName}-copy-${copyId}`;
  throw new CodedError(
    'app/copy-id-invalid',
    `“copy” in the address is “${copyId.slice(0, 40)}”; expected 1 to 32 small letters and digits.`,
    { fields: { field: 'copy', value: copyId.slice(0, 200), expected: '1 to 32 small letters and digits' } },
  );
}

/**
 * Puts the state that `from` has at this moment into a store of its own: parameters with their history, the last run, the
 * edited source, and the choice of a model without its key. All of it or nothing, and `from` is only read.
 * @throws as opening and reading a store and `Store.commit`
 */
export async function copyState(from: Store, copyId: string): Promise<void> {
  const [ofModule, ofPage] = await Promise.all([from.list(['module', moduleId]), from.list(pagePrefix)]);
  const writes = [...ofModule.filter(({ key }) => copiedParts.has(key[2])), ...ofPage].map(toPut);
  await using copy = await openIndexedDbStore({ name: storeNameOf(copyId) });
  await copy.commit(writes);
}

function toPut({ key, value }: Entry): Put {
  const isChoice = key.join() === modelChoiceKey.join();
  // a secret is kept where its owner allowed it, and nowhere else
  const copied = isChoice ? { ...(value as ModelChoice), key: '', isKeyRemembered: false } : value;
  return { type: 'put', key, value: copied };
}
