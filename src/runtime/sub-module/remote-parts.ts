/**
 * The worker's side of sub-modules that are actors of their own. The sub-module's object stays where it is, with its parameters
 * kept up to date by the page; its `forward` asks the page, which asks the actor. Its class knows nothing of it.
 */
import type { ActorContext } from '../../actor/index.ts';
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import { allPredictorsOf, isModule, Prediction } from '../../program/index.ts';
import type { Module, PredictDelta, Run } from '../../program/index.ts';
import { attemptsOf } from '../handle/delta-attempts.ts';
import { journalService, subModuleService } from '../module-protocol.ts';
import type {
  PartAnswer,
  PartCallBody,
  PartChangeBody,
  PartLink,
  PartLoadBody,
  PartNames,
  PartStaleBody,
} from '../module-protocol.ts';
import { loadStored } from '../journal/stored-state.ts';

/** Everything between two dots or brackets. */
const steps = /[^.[\]]+/gu;

function stepInto(value: unknown, step: string): unknown {
  if (value instanceof Map) return value.get(step);
  return typeof value === 'object' && value !== null ? (Reflect.get(value, step) as unknown) : undefined;
}

/** A part that is the module itself, or leads back to it, would call itself for ever. */
function refuseCycle(root: Module, path: string): void {
  const around: unknown[] = [root];
  let here: unknown = root;
  for (const [step] of path.replace(/^self\.?/u, '').matchAll(steps)) {
    here = stepInto(here, step);
    if (isModule(here) && around.includes(here)) throw cycle(path);
    around.push(here);
  }
}

function cycle(path: string): CodedError {
  return new CodedError(
    'runtime/sub-module-cycle',
    `the sub-module "${path}" leads back to a module around it, which cannot be its own sub-module's actor`,
    { fields: { path } },
  );
}

/** By identity: a part of a part may have been reached by a nearer path. */
function namesBetween<T extends object>(
  inner: readonly (readonly [string, T])[],
  outer: readonly (readonly [string, T])[],
): Readonly<Record<string, string>> {
  const outerNames = new Map(outer.map(([name, value]) => [value, name]));
  return Object.fromEntries(inner.map(([name, value]) => [name, outerNames.get(value) ?? name]));
}

/** The names of a part's own things, and theirs in the module around it. */
export function namesOf(root: Module, part: Module): PartNames {
  const { className, version } = part.metadata;
  return {
    className,
    version,
    parameters: namesBetween(part.namedParameters(), root.namedParameters()),
    predictors: namesBetween(allPredictorsOf(part), allPredictorsOf(root)),
    modules: namesBetween(part.namedSubModules(), root.namedSubModules()),
  };
}

export class RemoteParts {
  readonly #module: Module;
  readonly #context: ActorContext;
  readonly #parts = new Map<string, Module>();
  /** Parameters whose owner is another actor, while they take over what the owner has. */
  #following: ReadonlySet<string> | undefined;

  /** @throws `program/sub-module-not-found` naming what exists, `runtime/sub-module-cycle` */
  constructor(module: Module, context: ActorContext, links: readonly PartLink[]) {
    this.#module = module;
    this.#context = context;
    for (const { path } of links) {
      refuseCycle(module, path);
      this.#parts.set(path, module.subModuleNamed(path));
    }
    for (const link of links) this.#redirect(this.#parts.get(link.path) as Module, link);
  }

  get names(): Readonly<Record<string, PartNames>> {
    return Object.fromEntries([...this.#parts].map(([path, part]) => [path, namesOf(this.#module, part)]));
  }

  /** Whether a change of this parameter is its owner's, and nobody needs to be told of it. */
  isFollowed(parameter: string): boolean {
    return this.#following?.has(parameter) ?? false;
  }

  /** The owner's whole state. */
  load({ path, state }: PartLoadBody): void {
    const part = this.#parts.get(path);
    if (part) this.#follow(path, () => loadStored(part, state));
  }

  /** One parameter of an owner. */
  change({ name, state }: PartChangeBody): void {
    this.#follow(name, () => this.#module.loadParameters({ [name]: state }, 'owner'));
  }

  /** A copy that cannot follow must not take the module down; the page is told. */
  #follow(part: string, work: () => void): void {
    this.#following = this.owned;
    try {
      work();
    } catch (error) {
      const body: PartStaleBody = { module: this.#context.actor, part, reason: messageOf(error) };
      this.#context.sendPage(journalService, 'part-stale', body);
    } finally {
      this.#following = undefined;
    }
  }

  /** Parameters of the module that other actors own. */
  get owned(): ReadonlySet<string> {
    return new Set(Object.values(this.names).flatMap(({ parameters }) => Object.values(parameters)));
  }

  /** Hidden, so that the fields of the part stay its declarations, and copies of it run where they are made. */
  #redirect(part: Module, link: PartLink): void {
    // called below with the view that the call was made through
    const local = Reflect.get(part, 'forward') as (this: Module, input: unknown, run: Run) => unknown;
    const ask = (input: unknown, run: Run): Promise<unknown> => this.#ask(link, input, run);
    Object.defineProperty(part, 'forward', {
      configurable: true,
      writable: true,
      async value(this: Module, input: unknown, run: Run): Promise<unknown> {
        try {
          return await ask(input, run);
        } catch (error) {
          if (link.whenDown !== 'local' || run.signal.aborted || !isDown(error, link)) throw error;
          attemptsOf(run.settings.onDelta)?.begin(run.path);
          return local.call(this, input, run);
        }
      },
    });
  }

  async #ask(link: PartLink, input: unknown, run: Run): Promise<unknown> {
    const { onDelta } = run.settings;
    const wantsDeltas = onDelta !== undefined;
    const body: PartCallBody = {
      owner: this.#context.actor,
      incarnation: this.#context.incarnation,
      path: link.path,
      input,
      run: run.toWire(),
      wantsDeltas,
    };
    const answer = (await this.#context.callPage(subModuleService, 'forward', body, {
      signal: run.signal,
      span: run.span,
      // the run around it ends the call
      timeoutMs: Infinity,
      ...(onDelta ? { onDelta: (delta) => onDelta(delta as PredictDelta) } : {}),
    })) as PartAnswer;
    for (const [model, usage] of Object.entries(answer.usage)) run.usage.add(model, usage);
    return answer.isPrediction ? new Prediction(answer.output as Record<string, unknown>) : answer.output;
  }
}

/** This part is down, not one further inside. */
function isDown(error: unknown, { id }: PartLink): boolean {
  return isCodedError(error, 'runtime/sub-module-down') && error.fields['subModule'] === id;
}
