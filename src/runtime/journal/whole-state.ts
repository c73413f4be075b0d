/** The state of a program whose sub-modules live in several actors, as one state. */
import type { Clock } from '../../platform/index.ts';
import type { Mode, ModuleState } from '../../program/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { PartNames } from '../module-protocol.ts';
import type { ChangeListener } from '../parameter/cached-parameters.ts';
import { inTurn } from '../parameter/whole-change.ts';
import type { HostedPart } from '../sub-module/hosted-part.ts';

/** What is an actor's own beside what the state of the program around it holds. */
export interface PartMark {
  /** Of the class that its actor ran: the program's class may name another one. */
  readonly version: string;
  readonly mode: Mode;
  readonly parts?: PartMarks;
}

/** By the part's place in the module around it. */
export type PartMarks = Readonly<Record<string, PartMark>>;

/** Absent marks: the parts were as the program's class names them. So it is in states of before there were any. */
export interface WholeState extends ModuleState {
  readonly parts?: PartMarks;
}

function renamed<T>(
  values: Readonly<Record<string, T>>,
  names: Iterable<readonly [from: string, to: string]>,
): Record<string, T> {
  const found: [string, T][] = [];
  for (const [from, to] of names) if (Object.hasOwn(values, from)) found.push([to, values[from] as T]);
  return Object.fromEntries(found);
}

const inward = (names: Readonly<Record<string, string>>): (readonly [string, string])[] =>
  Object.entries(names).map(([own, outer]) => [outer, own] as const);

/** What of a state belongs to a part, under the part's own names, as the program's class names it. */
export function partOfState(state: ModuleState, names: PartNames): ModuleState {
  const compiled = new Set(state.compiled);
  const { className, version } = names;
  const { parts: _, ...own } = state as WholeState;
  return {
    ...own,
    className,
    version,
    parameters: renamed(state.parameters, inward(names.parameters)),
    predictors: renamed(state.predictors, inward(names.predictors)),
    compiled: Object.entries(names.modules).flatMap(([own, outer]) => (compiled.has(outer) ? [own] : [])),
  };
}

/** A state with that of a part inside it, under the names that it has here. */
export function withPart(state: WholeState, { path, names }: HostedPart, part: WholeState): WholeState {
  const outer = new Set(Object.values(names.modules));
  const { version, mode, parts } = part;
  return {
    ...state,
    parameters: { ...state.parameters, ...renamed(part.parameters, Object.entries(names.parameters)) },
    predictors: { ...state.predictors, ...renamed(part.predictors, Object.entries(names.predictors)) },
    compiled: [
      ...state.compiled.filter((name) => !outer.has(name)),
      ...part.compiled.map((name) => names.modules[name] ?? name),
    ],
    parts: { ...state.parts, [path]: { version, mode, ...(parts && { parts }) } },
  };
}

/** The module and everything hosted inside it, outermost first. */
export function wholeFamily(
  module: HostedModuleRecord,
): readonly [HostedModuleRecord, ...HostedModuleRecord[]] {
  return [module, ...[...module.parts.values()].flatMap((part) => wholeFamily(part.module))];
}

/** What the page knows without asking anybody. */
export function knownState(module: HostedModuleRecord): WholeState | undefined {
  const own = module.journal.state;
  if (!own) return undefined;
  return [...module.parts.values()].reduce<WholeState>((state, part) => {
    const inside = knownState(part.module);
    return inside ? withPart(state, part, inside) : state;
  }, own);
}

export interface WholeTurn {
  readonly clock: Clock;
  /** To wait for other changes of the program. */
  readonly timeoutMs: number;
}

/** As {@link dumpWhole}, of one moment: what is set together is in it together. */
export function dumpInTurn(module: HostedModuleRecord, turn: WholeTurn): Promise<WholeState> {
  // one actor answers for one moment, several do so while nothing changes in them
  const isAlone = module.parts.size > 0;
  return inTurn(wholeFamily(module), { ...turn, isAlone }, () => dumpWhole(module));
}

/** Asks every actor of the program; of one that is down, what the page knows is taken. */
async function dumpWhole(module: HostedModuleRecord): Promise<WholeState> {
  let state = (await module.call('state-dump', null)) as WholeState;
  for (const part of module.parts.values()) {
    const inside = part.module.isOver ? knownState(part.module) : await dumpWhole(part.module);
    if (inside) state = withPart(state, part, inside);
  }
  return state;
}

/** Hears of every change of every parameter of the whole program, under its name in this module. */
export function subscribeWhole(module: HostedModuleRecord, listener: ChangeListener): () => void {
  const ends = [
    module.journal.subscribe(listener),
    ...[...module.parts.values()].map(({ module: part, names }) =>
      subscribeWhole(part, (change) =>
        listener({ ...change, name: names.parameters[change.name] ?? change.name }),
      ),
    ),
  ];
  return () => {
    for (const end of ends) end();
  };
}
