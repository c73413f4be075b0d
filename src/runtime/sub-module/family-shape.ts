/** A program and the actors inside it, as data: what new code that is served to all of them must fit. */
import type { HostedModuleRecord } from '../host/hosted.ts';
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
  readonly parts: readonly FamilyPart[];
}

export interface FamilyPart {
  readonly path: string;
  /** What the program around it takes it for now. */
  readonly inProgram: PartShape;
  readonly member: FamilyMember;
}

function memberOf(module: HostedModuleRecord): FamilyMember {
  const { kind, source, description } = module;
  const parts = [...module.parts.values()].map(({ path, names, module: part }): FamilyPart => ({
    path,
    inProgram: description ? shapeOf(description, names) : {},
    member: memberOf(part),
  }));
  return { kind, ...source, shape: description ? shapeOf(description) : {}, parts };
}

/** The whole family of a module, from the outermost program on; undefined for one that is alone. */
export function familyOf(module: HostedModuleRecord): FamilyMember | undefined {
  let outermost = module;
  while (outermost.around) outermost = outermost.around.module;
  return outermost.parts.size === 0 ? undefined : memberOf(outermost);
}
