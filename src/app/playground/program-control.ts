/** The hosted program: its life, its parameters, its place in the tree, and the buttons that kill its worker. */
import type { JsonObject } from '../../base/index.ts';
import type { ParameterView } from '../../elements/index.ts';
import { openBroadcast } from '../../platform/index.ts';
import type { ModuleHandle } from '../../runtime/index.ts';
import type { AskTable } from './ask-table.ts';
import { toNotice } from './next-step.ts';
import type { Services } from './services.ts';
import { toTree } from './tree.ts';
import type { ViewState } from './view-state.ts';
import { killChannel } from './worker-protocol.ts';

const moduleId = 'ask-table';

type Handle = ModuleHandle<AskTable>;

/** Starts, watches and stops the one module of the playground. */
export class ProgramControl {
  readonly #state: ViewState;
  readonly #services: Services;
  #handle: Handle | undefined;
  #refusals: Readonly<Record<string, { readonly code: string; readonly message: string }>> = {};
  #saving: ReadonlySet<string> = new Set();

  constructor(state: ViewState, services: Services) {
    this.#state = state;
    this.#services = services;
  }

  /** The running module. */
  get handle(): Handle | undefined {
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
    this.#state.update({
      isReady: handle?.status === 'running' || handle?.status === 'restarting',
      ...(handle ? { canStart: handle.status === 'crashed' || handle.status === 'stopped' } : {}),
      tree: toTree(this.#services.runtime.inspect(), handle),
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
      const { code, message } = toNotice(error);
      this.#refusals = { ...this.#refusals, [name]: { code: code ?? 'app/unexpected', message } };
    } finally {
      this.#saving = new Set([...this.#saving].filter((saving) => saving !== name));
      this.refresh();
    }
  }

  /** Ends the worker behind the runtime's back, waits for the module and says what became of its parameters. */
  async killWorker(way: 'close' | 'hang'): Promise<void> {
    const handle = this.#handle;
    const worker = handle?.worker;
    if (!handle || worker === undefined) return;
    const before = valuesOf(handle);
    using channel = openBroadcast(killChannel(this.#services.workerName(worker)), () => undefined);
    channel.post(way);
    try {
      const after = await this.#askAfterRestart(handle, worker);
      const isUnchanged = JSON.stringify(before) === JSON.stringify(after);
      const values = Object.entries(after).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
      const what = isUnchanged ? 'the parameters it had' : 'other parameters';
      this.#state.say(
        'kill',
        `${worker} died and ${handle.worker ?? 'another worker'} took over. Asked anew, the module has ${what}: ${values.join(', ')}.`,
        isUnchanged ? 'info' : 'error',
      );
    } catch (error) {
      this.#state.notify('kill', error);
    }
  }

  /** The values that the restarted module itself reports. */
  async #askAfterRestart(handle: Handle, worker: string): Promise<JsonObject> {
    const restarted = await waitFor(handle, () => handle.status === 'running' && handle.worker !== worker);
    if (!restarted) return valuesOf(handle);
    const answers = await Promise.all(
      namesOf(handle).map(async (name) => [name, (await handle.parameter(name).get()) as never] as const),
    );
    return Object.fromEntries(answers);
  }

  #parameter(handle: Handle, name: string): ParameterView {
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

function namesOf(handle: Handle): string[] {
  return Object.keys(handle.parameters);
}

function valuesOf(handle: Handle): JsonObject {
  return Object.fromEntries(namesOf(handle).map((name) => [name, handle.parameter(name).value as never]));
}

/** Resolves true when `isThere` becomes true, false when the module ended instead. */
function waitFor(handle: Handle, isThere: () => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const look = (): boolean => {
      const isOver = handle.status === 'crashed' || handle.status === 'stopped';
      if (!isOver && !isThere()) return false;
      resolve(!isOver);
      return true;
    };
    if (look()) return;
    const end = handle.onStatus(() => {
      if (look()) end();
    });
  });
}
