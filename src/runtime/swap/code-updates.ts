/**
 * New code on the page's side. A program and the actors inside it take it together: each is asked whether it could, then all of them take
 * it, or all of them keep what they have.
 */
import { CodedError } from '../../base/index.ts';
import type { Clock } from '../../platform/index.ts';
import { askUntilTaken } from '../host/ask-until-taken.ts';
import type { HostedModuleRecord, ModuleSource } from '../host/hosted.ts';
import { wholeFamily } from '../journal/whole-state.ts';
import type { RuntimeLimits } from '../limits.ts';
import { whileCompiled } from '../module-error.ts';
import type { UpdateBody, UpdateCheckAnswer, UpdateCheckBody } from '../module-protocol.ts';
import { inTurn } from '../parameter/whole-change.ts';
import { familyOf, outermostOf } from '../sub-module/family-shape.ts';

type Shared = Readonly<Record<string, unknown>>;

export interface CodeUpdatesOptions {
  readonly clock: Clock;
  readonly limits: RuntimeLimits;
  /** What a module's parameters are bound to now, by name; undefined when nothing is. */
  readonly sharedValues: (module: HostedModuleRecord) => Shared | undefined;
  /** Resolves when what a module became is stored. */
  readonly written: (module: HostedModuleRecord) => Promise<void> | undefined;
  /** It keeps the code before, or the store does. */
  readonly onFailure: (module: HostedModuleRecord, error: unknown) => void;
}

/** What a member said: it could take the code, it could not, or its class was not exchanged. */
interface Checked {
  readonly module: HostedModuleRecord;
  readonly answer?: UpdateCheckAnswer;
  readonly failure?: { readonly error: unknown };
}

/** What a member ran before it took the code. */
interface Taken {
  readonly module: HostedModuleRecord;
  readonly before: ModuleSource;
}

export class CodeUpdates {
  readonly #options: CodeUpdatesOptions;
  /** Outermost programs whose family is to take new code and has not been asked. */
  readonly #waiting = new WeakSet<HostedModuleRecord>();

  constructor(options: CodeUpdatesOptions) {
    this.#options = options;
  }

  /** A worker serves other code: modules whose class was exchanged take it, those that must not stay as they are. */
  onCatalogChange(modules: readonly HostedModuleRecord[], kinds: readonly string[]): void {
    for (const module of modules) {
      if (!module.hotReload || module.isOver || !kinds.includes(module.kind)) continue;
      const program = outermostOf(module);
      // a family that waits takes what is newest then
      if (this.#waiting.has(program)) continue;
      this.#waiting.add(program);
      void this.#update(program);
    }
  }

  async #update(program: HostedModuleRecord): Promise<void> {
    // its worker may have begun to start it with the code before, and whoever swaps one of it now does not know the newest
    await calm(program);
    this.#waiting.delete(program);
    const family = wholeFamily(program).filter(({ isOver }) => !isOver);
    if (family.length === 0) return;
    const updating = this.#together(program, family);
    for (const module of family) module.swapping = updating;
    try {
      await updating;
    } catch (error) {
      for (const module of family) this.#options.onFailure(module, error);
    } finally {
      for (const module of family) module.swapping = undefined;
    }
  }

  /** What a compilation has kept out comes in behind it. */
  async #updateAfter({ compiling }: HostedModuleRecord, program: HostedModuleRecord): Promise<void> {
    this.#waiting.add(program);
    await Promise.allSettled([compiling]);
    await this.#update(program);
  }

  /** @throws what stops all of them */
  async #together(program: HostedModuleRecord, family: readonly HostedModuleRecord[]): Promise<void> {
    const { clock, limits } = this.#options;
    const compiled = family.find(({ compiling }) => compiling !== undefined);
    if (compiled) {
      void this.#updateAfter(compiled, program);
      throw whileCompiled(compiled.id);
    }
    const timeoutMs = limits.callTimeoutMs;
    // changes that are committed and not yet put in belong to the instance that was asked about them
    const concerned = await inTurn(family, { clock, timeoutMs, isAlone: true }, () => this.#take(family));
    if (concerned.length > 0) forgetEditions(wholeFamily(program));
    for (const module of concerned)
      await this.#options.written(module)?.catch((error: unknown) => this.#options.onFailure(module, error));
  }

  /** @returns those that have taken it */
  async #take(family: readonly HostedModuleRecord[]): Promise<readonly HostedModuleRecord[]> {
    const checked = await Promise.all(family.map((module) => this.#check(module)));
    const refused = checked.find(({ failure }) => failure);
    if (refused) return this.#keepAll(checked, refused.module);
    const concerned = checked.filter(({ answer }) => answer);
    const taken: Taken[] = [];
    const failed: Checked[] = [];
    await Promise.all(
      concerned.map(async (one) => {
        const { module, answer } = one;
        const before = module.source;
        try {
          await this.#apply(module, { edition: answer?.edition });
          taken.push({ module, before });
        } catch (error) {
          failed.push({ module, failure: { error } });
        }
      }),
    );
    const [first] = failed.filter(({ module }) => !module.isOver);
    if (!first) return concerned.map(({ module }) => module);
    // what it agreed to it refused: its state has changed in between
    for (const one of taken) await this.#giveBack(one);
    const others = concerned.filter(({ module }) => failed.every((one) => one.module !== module));
    return this.#keepAll([...failed, ...others], first.module);
  }

  async #check(module: HostedModuleRecord): Promise<Checked> {
    const { limits, sharedValues } = this.#options;
    const family = familyOf({ asked: module, sharedOf: sharedValues });
    const body: UpdateCheckBody = { family, shared: sharedValues(module) };
    const reach = { isIdempotent: true, timeoutMs: limits.callTimeoutMs };
    try {
      return { module, answer: (await module.call('update-check', body, reach)) as UpdateCheckAnswer };
    } catch (error) {
      // nobody serves there any more
      return module.isOver ? { module } : { module, failure: { error } };
    }
  }

  async #apply(module: HostedModuleRecord, body: Omit<UpdateBody, 'shared'>): Promise<void> {
    const { clock, sharedValues } = this.#options;
    const shared = sharedValues(module);
    const given: UpdateBody = { ...body, shared };
    await askUntilTaken(clock, module, 'update-apply', () => given);
  }

  async #giveBack({ module, before }: Taken): Promise<void> {
    const { previous } = module.journal;
    const isBack =
      previous && previous.version === before.version && module.source.version !== before.version;
    try {
      await this.#apply(module, { edition: before.edition, ...(isBack && { previous }) });
    } catch (error) {
      this.#options.onFailure(module, error);
    }
  }

  #keepAll(checked: readonly Checked[], refusing: HostedModuleRecord): readonly HostedModuleRecord[] {
    for (const { module, answer, failure } of checked) {
      if (failure) this.#options.onFailure(module, failure.error);
      else if (answer) this.#options.onFailure(module, keptWith(refusing.id));
    }
    return [];
  }
}

/** Those that have ended start again, if they do, with what their family has taken. */
function forgetEditions(family: readonly HostedModuleRecord[]): void {
  for (const module of family) if (module.isOver) module.source = { ...module.source, edition: undefined };
}

/** Resolves when everybody in the program serves, or has ended, and nobody is being swapped. */
async function calm(program: HostedModuleRecord): Promise<void> {
  for (;;) {
    const busy = wholeFamily(program).find(
      ({ isRunning, isOver, swapping }) => swapping !== undefined || !(isRunning || isOver),
    );
    if (!busy) return;
    if (busy.swapping) await busy.swapping.catch(() => undefined);
    else await served(busy);
  }
}

/** Resolves when the module serves, or has ended. */
async function served(module: HostedModuleRecord): Promise<void> {
  await new Promise<void>((resolve) => {
    const leave = module.onStatus(() => {
      if (!module.isRunning && !module.isOver) return;
      leave();
      resolve();
    });
  });
}

function keptWith(id: string): CodedError {
  return new CodedError(
    'runtime/sub-module-mismatch',
    `it keeps the code before, as "${id}" of the same program does, which cannot take the new one`,
    { fields: { subModule: id } },
  );
}
