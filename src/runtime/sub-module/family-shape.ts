/** A program and the actors inside it, as data: what new code that is served to all of them must fit. */
import type { ModuleState } from '../../program/index.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import { knownState } from '../journal/whole-state.ts';
import { shapeOf } from './part-shape.ts';
import type { PartShape } from './part-shape.ts';

/** One actor, with those inside it. */
export interface FamilyMember {
  readonly kind: string;
  readonly version: string | undefined;
  /** The file that has its class; undefined for what the worker entry serves. */
  readonly url: string | undefined;
  /** As it is now. */
  readonly shape: PartShape;
  /** Of one that runs in another worker than the one that is asked: the new code must take it, too. */
  readonly state?: ModuleState | undefined;
  /** What its parameters are bound to. */
  readonly shared?: Readonly<Record<string, unknown>> | undefined;
  readonly parts: readonly FamilyPart[];
}

export interface FamilyPart {
  readonly path: string;
  /** What the program around it takes it for now. */
  readonly inProgram: PartShape;
  readonly member: FamilyMember;
}

export interface FamilyView {
  /** Whose worker is asked: it knows itself the states of those that run there. */
  readonly asked: HostedModuleRecord;
  readonly sharedOf: (module: HostedModuleRecord) => Readonly<Record<string, unknown>> | undefined;
}

function memberOf(module: HostedModuleRecord, view: FamilyView): FamilyMember {
  const { kind, description, worker } = module;
  const { version, url } = module.source;
  const parts = [...module.parts.values()].map(({ path, names, module: part }): FamilyPart => ({
    path,
    inProgram: description ? shapeOf(description, names) : {},
    member: memberOf(part, view),
  }));
  const shape = description ? shapeOf(description) : {};
  const member = { kind, version, url, shape, parts };
  // one that has ended takes no code now
  if (module.isOver || worker === view.asked.worker) return member;
  return { ...member, state: knownState(module), shared: view.sharedOf(module) };
}

/** The outermost program that the module is in; itself when it is in none. */
export function outermostOf(module: HostedModuleRecord): HostedModuleRecord {
  return module.around ? outermostOf(module.around.module) : module;
}

/** The whole family of a module, from the outermost program on. */
export function familyOf(view: FamilyView): FamilyMember {
  return memberOf(outermostOf(view.asked), view);
}
