/** A program module hosted as an actor: where `program` meets `actor`. Runs in the worker. */
import type { ActorContext, Behaviour, CallContext, StartBehaviour } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import { systemClock } from '../../platform/index.ts';
import { continueCall, continueCallCounted, isPrediction, plainOf } from '../../program/index.ts';
import type {
  ContinueSettings,
  Mode,
  Module,
  Parameter,
  ParameterChange,
  ParameterState,
} from '../../program/index.ts';
import { compileInWorker } from '../compile/compile-in-worker.ts';
import type { CompileHost } from '../compile/compile-in-worker.ts';
import { checkState, describeHosting, keeping, loadHosting, startHosting, withChanges } from './hosting.ts';
import type { Hosting } from './hosting.ts';
import type { ModuleCatalog } from '../version/module-catalog.ts';
import type { ModuleVersion } from '../version/module-class.ts';
import { journalService } from '../module-protocol.ts';
import type {
  ChangesApplied,
  ChangesApplyBody,
  ChangesBody,
  ChangesMissedBody,
  CompileBody,
  Described,
  Edition,
  ForwardBody,
  ModuleSwapBody,
  OwnerBehindBody,
  ParameterChangeBody,
  ParameterRecord,
  ParameterSetBody,
  ParameterStepBody,
  ParameterTaken,
  PartAnswer,
  PartChangeBody,
  PartLoadBody,
  StartArgs,
  StateCheckBody,
  StateLoadBody,
  SwapBody,
} from '../module-protocol.ts';
import { DeltaAttempts } from '../handle/delta-attempts.ts';
import { sameData } from '../parameter/same-data.ts';
import { withoutParameters } from '../parameter/without-parameters.ts';
import { pageSettings } from '../page-service/page-settings.ts';
import { RemoteParts } from '../sub-module/remote-parts.ts';
import { RunStops } from './run-stops.ts';
import type { CompileTools } from '../compile/served-optimizers.ts';
import { SwapTurn } from '../swap/swap-turn.ts';

/** What is committed, or decided for a whole family, must be put in, however many forwards run. */
const committed: ReadonlySet<string> = new Set(['changes-apply', 'state-load', 'mode-set', 'update-apply']);

class HostedModule implements Behaviour {
  readonly #context: ActorContext;
  readonly #stops = new RunStops();
  readonly #methods: Readonly<Record<string, (body: never, call: CallContext) => unknown>>;
  readonly #swap: SwapTurn;
  #hosting: Hosting;
  #stopListening: () => void;
  /** The change that a call from the page causes: it travels in that call's answer, not as a message of its own. */
  #answering: ParameterRecord | undefined;
  /** Changes of the parameter while it is set: more than one when a listener sets it too. */
  #answers = 0;
  /** The parameter that such a call sets: what else changes on the way is the module's own doing. */
  #setting: string | undefined;
  /** Forwards that have not ended, and what forwards have left running that did not heed their end. */
  readonly #running = new Set<Promise<unknown>>();
  /** Parameters that the page changes and already knows. What else changes on the way is the module's own doing. */
  #quiet: ReadonlySet<string> = new Set();
  /** Changes of those parameters on the way. */
  #heard: ParameterChange[] = [];
  /** When the page has asked for what each parameter has, where something older may still come. */
  readonly #asked = new Map<string, number>();
  /** Counts changes, across restarts, so that the page can tell which came last. */
  #sequence: number;

  constructor(hosting: Hosting, context: ActorContext, { sequence = 0 }: Pick<StartArgs, 'sequence'>) {
    this.#hosting = hosting;
    this.#context = context;
    this.#sequence = sequence;
    this.#stopListening = this.#listen();
    const compiler: CompileHost = {
      current: () => this.#module,
      context,
      tools: hosting.tools,
      stopOf: (call) => this.#stops.of(call),
      onWork: (work, call) => this.#leave(work, call),
    };
    this.#swap = new SwapTurn({
      actor: context.actor,
      current: () => this.#hosting,
      announce: (body) => this.#announce(body),
      takeOver: (next) => this.#takeOver(next),
      run: (method, body, call) => this.#answer(method, body, call),
    });
    this.#methods = {
      describe: () => this.#describe(),
      forward: (body, call) => this.#track(this.#forward(body, call)),
      'forward-part': (body, call) => this.#track(this.#forwardPart(body, call)),
      'parameter-get': ({ name }: { name: string }) => this.#module.parameterNamed(name).value,
      'parameter-record': ({ name }: { name: string }) => this.#newest(name),
      'parameter-set': (body) => this.#set(body),
      'parameter-step': (body) => this.#step(body),
      'parameter-foresee': (body) => this.#foresee(body),
      'mode-set': (mode: Mode) => void (mode === 'train' ? this.#module.train() : this.#module.eval()),
      'state-dump': () => this.#module.dumpState(),
      'state-check': (body: StateCheckBody) => checkState(this.#hosting, body),
      'state-load': (body) => this.#load(body),
      'changes-check': ({ changes, cause }: ChangesBody) => void this.#module.prepareChanges(changes, cause),
      'changes-apply': (body) => this.#apply(body),
      versions: () => hosting.catalog.versionsOf(hosting.kind),
      swap: (body: SwapBody, call) => this.#swap.run(body, call),
      'update-check': (body) => this.#swap.check(body),
      'update-apply': (body) => this.#swap.update(body),
      compile: (body: CompileBody, call) => compileInWorker(compiler, body, call),
    };
  }

  get #module(): Module {
    return this.#hosting.module;
  }

  call(method: string, body: unknown, call: CallContext): unknown {
    // a turn that waits for its code keeps the mailbox: what comes meanwhile has its turn afterwards
    return this.#swap.isOpen ? this.#swap.queue(method, body, call) : this.#answer(method, body, call);
  }

  isReserved(method: string): boolean {
    return committed.has(method);
  }

  /** The page believes that another class runs. */
  tellOfOther(): void {
    const { taken } = this.#hosting;
    if (taken) this.#announce({ module: this.#context.actor, ...this.#describe(), taken });
  }

  #announce(body: Omit<ModuleSwapBody, 'incarnation' | 'sequence'>): void {
    const { incarnation } = this.#context;
    const sequence = ++this.#sequence;
    this.#context.sendPage(journalService, 'module-swap', { ...body, incarnation, sequence });
  }

  #answer(method: string, body: unknown, call: CallContext): unknown {
    const run = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined;
    if (run) return run(body as never, call);
    throw new CodedError('runtime/method-not-found', `a hosted module has no method "${method}"`, {
      fields: { method },
    });
  }

  receive(method: string, body: unknown): void {
    const { parts } = this.#hosting;
    if (method === 'part-load') parts.load(body as PartLoadBody);
    else if (method === 'part-change') parts.change(body as PartChangeBody);
    else if (method === 'part-lost') this.#context.exit(partLost(body as string));
    else if (method === 'changes-missed') this.#applyMissed(body as ChangesMissedBody);
    else if (method === 'owner-behind') this.#context.exit(ownerBehind(body as OwnerBehindBody));
  }

  /** Tells its forwards and its compilation by their signal and lets them end; whoever asked for the stop limits how long. */
  async stop(): Promise<void> {
    this.#stops.stopAll(new CodedError('actor/peer-died', `module "${this.#context.actor}" was stopped`));
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  release(): void {
    this.#stopListening();
  }

  #listen(): () => void {
    return this.#module.onParameterChange((change) => this.#onChange(change));
  }

  #takeOver(next: Hosting): void {
    this.#stopListening();
    this.#hosting = next;
    this.#stopListening = this.#listen();
  }

  #describe(): Described {
    return describeHosting(this.#hosting);
  }

  /** Puts a state in that the page has already. */
  #load({ incarnation, order, ...given }: StateLoadBody): ChangesApplied | undefined {
    if (!this.#isFor(incarnation)) return undefined;
    const names = Object.keys(given.state.parameters);
    const kept = this.#askedAfter(order, names);
    const checked = keeping(this.#hosting, kept, given);
    const copies = this.#hosting.parts.owned;
    const sequence = ++this.#sequence;
    this.#quietly(new Set(names), () => {
      this.#hosting = loadHosting(this.#hosting, checked);
    });
    this.#took(order, names, kept);
    for (const [name, { value }] of Object.entries(checked.state.parameters))
      if (!copies.has(name)) this.#tellCorrection(name, value);
    this.#heard = [];
    return { sequence, kept };
  }

  /** Those that the page has asked for later than for its change number `order`. */
  #askedAfter(order: number, names: readonly string[]): readonly string[] {
    return names.filter((name) => (this.#asked.get(name) ?? 0) > order);
  }

  #took(order: number, names: Iterable<string>, kept: readonly string[] = []): void {
    for (const name of names) if (!kept.includes(name)) this.#asked.set(name, order);
  }

  /** A later start than the one that was meant has begun with what is committed; others may have changed it since. */
  #isFor(incarnation: number): boolean {
    return incarnation === this.#context.incarnation;
  }

  #track(forward: Promise<unknown>): Promise<unknown> {
    const drop = (): void => void this.#running.delete(forward);
    this.#running.add(forward);
    forward.then(drop, drop);
    return forward;
  }

  async #forward(body: ForwardBody, call: CallContext): Promise<unknown> {
    // predictions cross as their plain fields
    return plainOf(await continueCall(this.#module, body.input, body.run, this.#settings(body, call)));
  }

  /** For the module around this one: it gets a prediction when this one gave a prediction. */
  async #forwardPart(body: ForwardBody, call: CallContext): Promise<PartAnswer> {
    const settings = this.#settings(body, call);
    const { output, usage } = await continueCallCounted(this.#module, body.input, body.run, settings);
    return { output: plainOf(output), isPrediction: isPrediction(output), usage };
  }

  #settings(body: ForwardBody, call: CallContext): ContinueSettings {
    return {
      onStop: this.#stops.of(call, body.run.remainingMs),
      onLeave: (work) => this.#leave(work, call),
      ...pageSettings(this.#context, body),
      ...(body.wantsDeltas ? { onDelta: new DeltaAttempts((delta) => call.delta(delta)).onDelta } : {}),
    };
  }

  /** Its call may be over before it. */
  #leave(work: Promise<unknown>, call: CallContext): void {
    call.keepPlace(work);
    void this.#track(work);
  }

  /** For a page that missed the answer to a set. */
  #newest(name: string): ParameterRecord {
    const { value, updatedAtMs } = this.#module.parameterNamed(name);
    return this.#record({ name, oldValue: value, newValue: value, cause: 'set', atMs: updatedAtMs });
  }

  /** Puts changes in that the page has already. */
  #apply({ changes: given, cause, incarnation, order }: ChangesApplyBody): ChangesApplied | undefined {
    if (!this.#isFor(incarnation)) return undefined;
    const named = { ...given.values, ...given.parameters };
    const kept = this.#askedAfter(order, Object.keys(named));
    const changes = withoutParameters(given, new Set(kept));
    const apply = this.#module.prepareChanges(changes, cause);
    const states = Object.entries(changes.parameters ?? {}).map(
      ([name, { value }]) => [name, value] as const,
    );
    const values = new Map<string, unknown>([...Object.entries(changes.values ?? {}), ...states]);
    const sequence = ++this.#sequence;
    this.#quietly(new Set(values.keys()), apply);
    this.#hosting = withChanges(this.#hosting, changes);
    this.#took(order, values.keys());
    for (const [name, value] of values) this.#tellCorrection(name, value);
    this.#heard = [];
    return { sequence, kept };
  }

  /** What it refuses now it ends with: it is started again with it. */
  #applyMissed({ sequence, ...body }: ChangesMissedBody): void {
    this.#sequence = Math.max(this.#sequence, sequence);
    this.#apply(body);
  }

  /** A listener inside the module has made something else of a value that the page has put in: the page hears of it. */
  #tellCorrection(name: string, oldValue: unknown): void {
    const { value } = this.#module.parameterNamed(name);
    if (sameData(value, oldValue)) return;
    const change = this.#heard.find((each) => each.name === name && sameData(each.newValue, value));
    if (change) this.#tell({ ...change, oldValue }, true);
  }

  #set({ name, value, cause, order }: ParameterSetBody): ParameterRecord | ParameterTaken {
    const record = this.#changed(name, cause, (parameter) => parameter.set(value, cause));
    if (order !== undefined) this.#took(order, [name]);
    const { sequence = 0, state } = record;
    // what the page has sent it need not get back
    const isAsSent = state.type === 'tensor' || Object.is(state.value, value);
    if (!isAsSent || this.#answers !== 1) return record;
    return { isTaken: true, updatedAtMs: state.updatedAtMs, sequence };
  }

  #step({ name, gradient, cause }: ParameterStepBody): ParameterRecord {
    return this.#changed(name, cause, (parameter) => parameter.applyGradient(gradient, cause));
  }

  /** What a step would lead to; it is not made. */
  #foresee({ name, gradient, cause }: ParameterStepBody): ParameterState {
    const parameter = this.#module.parameterNamed(name).clone();
    parameter.applyGradient(gradient, cause);
    return parameter.dumpState();
  }

  /** What a change that the page asked for has led to. */
  #changed(name: string, cause: string, change: (parameter: Parameter) => void): ParameterRecord {
    const parameter = this.#module.parameterNamed(name);
    this.#setting = name;
    this.#answers = 0;
    try {
      change(parameter);
    } finally {
      this.#setting = undefined;
    }
    const record = this.#answering;
    this.#answering = undefined;
    const { value } = parameter;
    return record ?? this.#record({ name, oldValue: value, newValue: value, cause, atMs: systemClock.now() });
  }

  /** Changes that the page asked for and already knows. */
  #quietly(names: ReadonlySet<string>, work: () => void): void {
    this.#quiet = names;
    try {
      work();
    } finally {
      this.#quiet = new Set();
    }
  }

  #onChange(change: ParameterChange): void {
    if (this.#quiet.has(change.name)) return void this.#heard.push(change);
    if (this.#hosting.parts.isFollowed(change.name)) return;
    if (change.name !== this.#setting) return this.#tell(change);
    this.#sequence++;
    this.#answering = this.#record(change);
    this.#answers++;
  }

  #tell(change: ParameterChange, isCorrection: boolean = false): void {
    this.#sequence++;
    const { actor: module, incarnation } = this.#context;
    const body: ParameterChangeBody = {
      module,
      incarnation,
      ...this.#record(change),
      ...(isCorrection ? { isCorrection } : {}),
    };
    this.#context.sendPage(journalService, 'parameter-change', body);
  }

  #record({ name, oldValue, cause, atMs }: ParameterChange): ParameterRecord {
    const state = this.#module.parameterNamed(name).dumpState();
    return { name, oldValue, cause, atMs, state, sequence: this.#sequence };
  }
}

function partLost(part: string): CodedError {
  return new CodedError('runtime/sub-module-down', `the sub-module "${part}" has ended for good`, {
    fields: { path: part },
  });
}

function ownerBehind({ reason }: OwnerBehindBody): CodedError {
  const text = `it refused a change that it had agreed to and that is committed: ${reason}`;
  return new CodedError('runtime/owner-behind', text);
}

/**
 * How to start a module as an actor; `kind` is undefined where only the start knows it.
 * Errors: `runtime/module-load-failed`, `runtime/version-not-found`, `runtime/state-migration-failed`, `program/state-invalid`, and
 * for a class that is imported what `ModuleCatalog.load` throws.
 */
export function hostModule(catalog: ModuleCatalog, tools: CompileTools, kind?: string): StartBehaviour {
  return (args, context) => {
    const start = (args ?? {}) as StartArgs;
    const name = kind ?? start.kind ?? '';
    catalog.attachPage((method, body) => context.sendPageForWorker(journalService, method, body));
    const begin = (source: ModuleVersion): Behaviour => {
      const partsOf = (module: Module): RemoteParts => new RemoteParts(module, context, start.parts ?? []);
      const isOther = isOtherThan(start.edition, source);
      const hosting = startHosting({ catalog, tools, kind: name, source, partsOf }, start.state, isOther);
      const hosted = new HostedModule(hosting, context, start);
      if (isOther) hosted.tellOfOther();
      return hosted;
    };
    const source = catalog.resolve(name, start);
    return source instanceof Promise ? source.then(begin) : begin(source);
  };
}

/** What ran before is not known here: another worker had it, and this one began with other code. */
function isOtherThan(before: Edition | undefined, { edition }: ModuleVersion): boolean {
  return before !== undefined && edition?.id !== before.id && edition?.mark !== before.mark;
}
