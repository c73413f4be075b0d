/**
 * The playground's worker. Its address says what it serves: `?edit=` is the address of an edited module that takes the
 * place of the shipped one, `?check=` of one that is only tried: then the worker answers whether it loads, and serves nothing.
 */
import { messageOf } from '../../base/index.ts';
import { openBroadcast } from '../../platform/index.ts';
import { serve } from '../../worker.ts';
import { AskTable } from './ask-table.ts';
import { killChannel } from './worker-protocol.ts';
import type { ModuleCheck } from './worker-protocol.ts';
import { Module } from './vivarium.ts';

type AskTableClass = typeof AskTable;

const address = new URL(self.location.href).searchParams;

/** The module that the text exports as `AskTable`. It is constructed once, so that a bad declaration shows here. */
async function loadEdit(url: string): Promise<AskTableClass> {
  const exported = (await import(/* @vite-ignore */ url)) as Readonly<Record<string, unknown>>;
  const found = exported['AskTable'];
  if (typeof found !== 'function' || !(found.prototype instanceof Module))
    throw new Error('the source must export a class AskTable that extends Module');
  const Edited = found as AskTableClass;
  new Edited();
  return Edited;
}

async function check(url: string): Promise<ModuleCheck> {
  try {
    await loadEdit(url);
    return { type: 'module-check', isLoadable: true };
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    return { type: 'module-check', isLoadable: false, message: messageOf(error), stack };
  }
}

/** The playground's kill buttons: the runtime is not told, as it would not be told by a crash. */
function listenForKills(): void {
  openBroadcast(killChannel(self.name), (message) => {
    if (message === 'close') self.close();
    if (message === 'hang') for (;;);
  });
}

const checked = address.get('check');
const edit = address.get('edit');

/** Types for the page: `typeof modules`. */
export const modules: { readonly 'ask-table': AskTableClass } = {
  'ask-table': edit === null || checked !== null ? AskTable : await loadEdit(edit),
};

if (checked === null) {
  listenForKills();
  serve(modules);
} else {
  self.postMessage(await check(checked));
}
