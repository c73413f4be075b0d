/** The Storage panel: what is kept, how much room there is, and the way back. */
import type { StorageAct, StorageChange, StorageView } from '../../elements/index.ts';
import { persistStorage } from '../../platform/index.ts';
import type { Runtime, RuntimeChange } from '../../runtime/index.ts';
import { deleteSnapshot } from '../../state/index.ts';
import type { JournaledStore, QuotaWatch, Store } from '../../state/index.ts';
import { toNotice } from './next-step.ts';
import { saveFile } from './save-file.ts';
import type { ViewState } from './view-state.ts';

/** Lines of what a restore would change: more than anybody reads. */
const maxChanges = 200;
const maxValueCharacters = 200;

export interface StorageParts {
  readonly runtime: Pick<Runtime, 'snapshot' | 'snapshots' | 'restoreTo' | 'diff' | 'export' | 'import'>;
  readonly store: Store;
  /** Undefined where earlier times are not kept. */
  readonly journal: Pick<JournaledStore, 'journalState'> | undefined;
  readonly quota: Pick<QuotaWatch, 'check' | 'state'>;
  readonly persist?: () => Promise<boolean>;
  readonly save?: (file: Blob, name: string) => void;
  readonly now: () => number;
}

export class StorageControl {
  readonly #state: ViewState;
  readonly #parts: StorageParts;
  #asking: Promise<boolean> | undefined;

  constructor(state: ViewState, parts: StorageParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** Does what is asked for, one after the other: what comes while something is under way is not heard. */
  async act(act: StorageAct): Promise<void> {
    if (this.#view.isBusy) return;
    this.#show({ isBusy: true }, ['error']);
    try {
      await this.#perform(act);
    } catch (error) {
      this.#show({ error: toNotice(error) });
    }
    await this.refresh();
  }

  /** Looks at everything anew. */
  async refresh(): Promise<void> {
    try {
      const { runtime, journal } = this.#parts;
      const [snapshots, journalState] = await Promise.all([runtime.snapshots(), journal?.journalState()]);
      await this.#parts.quota.check();
      this.#show({ snapshots, earliestMs: journalState?.earliestMs, isBusy: false });
      this.noteRoom();
    } catch (error) {
      this.#show({ error: toNotice(error), isBusy: false });
    }
  }

  /** There is something to keep now: asks once that it is not evicted, and shows the answer. */
  async keep(): Promise<void> {
    const { store, quota, persist = persistStorage } = this.#parts;
    try {
      if (store.capabilities.durable) await (this.#asking ??= persist());
      await quota.check();
      this.noteRoom();
    } catch (error) {
      this.#show({ error: toNotice(error) });
    }
  }

  /** The room has changed. */
  noteRoom(): void {
    const { quota, store } = this.#parts;
    const { level, usageBytes, quotaBytes, isPersisted } = quota.state;
    this.#show({ level, usageBytes, quotaBytes, isPersisted, isDurable: store.capabilities.durable });
  }

  async #perform(act: StorageAct): Promise<void> {
    const { runtime, store, persist = persistStorage } = this.#parts;
    switch (act.act) {
      case 'cancel':
        return this.#show({ news: 'Nothing was changed.' }, ['preview']);
      case 'persist':
        return this.#tell(
          (await persist()) ? 'The browser promised to keep it.' : 'The browser did not promise it.',
        );
      case 'take':
        await runtime.snapshot(act.name);
        return this.#tell(`Snapshot “${act.name}” taken.`);
      case 'delete':
        await deleteSnapshot(store, act.name);
        return this.#tell(`Snapshot “${act.name}” deleted.`);
      case 'preview':
        return this.#preview(act.source);
      case 'restore':
        await runtime.restoreTo(act.source);
        return this.#show({ news: 'Restored. The program runs with the state of then.' }, ['preview']);
      case 'export':
        return this.#export(act.name);
      case 'export-now':
        return this.#export(undefined);
      case 'import':
        return this.#import(act.file);
    }
  }

  async #preview(source: string | number): Promise<void> {
    const { changes, total } = await this.#parts.runtime.diff(source, undefined, { maxChanges });
    // at once: who is led there by the focus must find its buttons
    this.#show({ preview: { source, changes: changes.map(toWords), total }, news: '', isBusy: false });
  }

  async #export(name: string | undefined): Promise<void> {
    const { runtime, save = saveFile, now } = this.#parts;
    const file = await runtime.export(name);
    const title = name ?? `vivarium ${new Date(now()).toISOString().slice(0, 19)}`;
    const fileName = `${title.replaceAll(/[^\p{L}\p{N}]+/gu, '-').slice(0, 80)}.vivarium`;
    save(file, fileName);
    this.#tell(`Exported as ${fileName}.`);
  }

  /** Kept under a name of its own, and shown before anything is changed by it. */
  async #import(file: File): Promise<void> {
    const { runtime, now } = this.#parts;
    const known = new Set((await runtime.snapshots()).map(({ name }) => name));
    const base = file.name.replace(/\.vivarium$/u, '').slice(0, 100) || 'imported';
    const name = known.has(base) ? `${base} ${new Date(now()).toISOString()}` : base;
    await runtime.import(file, { name });
    await this.#preview(name);
    this.#tell(`Imported as snapshot “${name}”.`);
  }

  #tell(news: string): void {
    this.#show({ news });
  }

  get #view(): StorageView {
    return this.#state.current.storage;
  }

  #show(change: Partial<StorageView>, without: readonly ('preview' | 'error')[] = []): void {
    const next: { -readonly [K in keyof StorageView]: StorageView[K] } = { ...this.#view };
    for (const name of without) delete next[name];
    this.#state.update({ storage: { ...next, ...change } });
  }
}

/** A restore goes from now to then. */
function toWords({ what, module, name, before, after }: RuntimeChange): StorageChange {
  const whose = module === undefined ? '' : ` of ${module}`;
  return {
    what: what === 'parameter' || what === 'shared' ? `${String(name)}${whose}` : `${what}${whose}`,
    present: shown(after),
    past: shown(before),
  };
}

function shown(value: unknown): string {
  if (value === undefined) return 'as declared';
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value);
  return text.length > maxValueCharacters ? `${text.slice(0, maxValueCharacters)}…` : text;
}
