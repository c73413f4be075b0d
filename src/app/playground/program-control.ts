/** The hosted program: its life, its parameters, and its place in the tree. */
import type { Notice, ParameterView } from '../../elements/index.ts';
import { systemClock } from '../../platform/index.ts';
import type { ModuleHandle } from '../../runtime/index.ts';
import type { AskTable } from './ask-table.ts';
import { BudgetWatch } from './budget-watch.ts';
import { toNotice } from './next-step.ts';
import { moduleId } from './playground-store.ts';
import type { Services } from './services.ts';
import { toTree } from './tree.ts';
import type { ViewState } from './view-state.ts';

/** The hosted program, typed. */
export type ProgramHandle = ModuleHandle<AskTable>;

/** Starts, watches and stops the one module of the playground. */
export class ProgramControl {
  readonly #state: ViewState;
  readonly #services: Services;
  readonly #budgets = new BudgetWatch(systemClock, () => this.refresh());
  #handle: ProgramHandle | undefined;
  #refusals: Readonly<Record<string, Notice>> = {};
  #saving: ReadonlySet<string> = new Set();

  constructor(state: ViewState, services: Services) {
    this.#state = state;
    this.#services = services;
  }

  /** The running module. */
  get handle(): ProgramHandle | undefined {
    return this.#handle;
  }

  /** @throws as `Runtime.start` */
  async start(): Promise<void> {
    // a worker of its own, so that each start takes the module that the page wants now, and a kill hits nothing else
    const handle = await this.#services.runtime.start(moduleId, { id: moduleId, isolation: 'dedicated' });
    this.#handle = handle;
    handle.onStatus(() => this.refresh());
    for (const name of namesOf(handle)) handle.parameter(name).subscribe(() => this.refresh());
    this.refresh();
  }

  /** Stops the module; what it acknowledged is in the store. */
  async stop(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.stop();
  }

  /** Draws tree and parameters from what the runtime says now. */
  refresh(): void {
    const handle = this.#handle;
    const snapshot = this.#services.runtime.inspect();
    this.#budgets.note(snapshot.supervisor);
    this.#state.update({
      isReady: handle?.status === 'running' || handle?.status === 'restarting',
      ...(handle ? { canStart: handle.status === 'crashed' || handle.status === 'stopped' } : {}),
      tree: toTree(snapshot),
      parameters: handle ? namesOf(handle).map((name) => this.#parameter(handle, name)) : [],
    });
  }

  async setParameter(name: string, value: unknown): Promise<void> {
    const handle = this.#handle;
    if (!handle) return;
    const { [name]: _old, ...refusals } = this.#refusals;
    this.#refusals = refusals;
    this.#saving = new Set(this.#saving).add(name);
    this.refresh();
    try {
      await handle.parameter(name).set(value, { cause: 'set here' });
    } catch (error) {
      this.#refusals = { ...this.#refusals, [name]: refusalOf(error) };
    } finally {
      this.#saving = new Set([...this.#saving].filter((saving) => saving !== name));
      this.refresh();
    }
  }

  #parameter(handle: ProgramHandle, name: string): ParameterView {
    const { state, history } = handle.parameter(name);
    const declared = handle.description?.parameters.find((parameter) => parameter.name === name);
    const about = declared?.metadata['about'];
    const refusal = this.#refusals[name];
    return {
      name,
      type: state.type,
      value: state.value,
      ...(typeof about === 'string' ? { description: about } : {}),
      constraints: Object.entries(declared?.constraints ?? {}).map(
        ([kind, bound]) => `${kind} ${JSON.stringify(bound).replaceAll('"', '')}`,
      ),
      history: history.map(({ atMs, newValue, cause }) => ({ atMs, value: newValue, cause })),
      isSaving: this.#saving.has(name),
      ...(refusal ? { refusal } : {}),
    };
  }
}

function namesOf(handle: ProgramHandle): string[] {
  return Object.keys(handle.parameters);
}

/** A store that fails leaves the running module with the new value; a constraint leaves the old one. */
function refusalOf(error: unknown): Notice {
  const notice = toNotice(error);
  if (!notice.code?.startsWith('state/')) return notice;
  return {
    ...notice,
    next: 'The running program has the new value, the store does not: a reload would bring the old one back. Set it again.',
  };
}
