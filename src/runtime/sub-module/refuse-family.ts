/** Whether new code fits a whole family. Every worker that has it decides alike, so that all members of a family take it or none does. */
import { CodedError, messageOf } from '../../base/index.ts';
import { describe } from '../../program/index.ts';
import type { Module } from '../../program/index.ts';
import type { ModuleCatalog } from '../version/module-catalog.ts';
import type { ModuleVersion } from '../version/module-class.ts';
import type { FamilyMember } from './family-shape.ts';
import { refuseOther, refuseShared, shapeOf } from './part-shape.ts';
import { namesOf } from './remote-parts.ts';
import { carryState } from '../swap/carry-state.ts';
import { takeShared } from '../worker/hosting.ts';

/** What a member of this kind and version becomes when it takes the code that is served now; undefined for one that is from a file. */
export function servedFor(
  catalog: ModuleCatalog,
  { kind, version, url }: Pick<FamilyMember, 'kind' | 'version' | 'url'>,
): ModuleVersion | undefined {
  if (url !== undefined) return undefined;
  const isServed = catalog.versionsOf(kind).some((one) => one.version === version);
  return catalog.find(kind, isServed ? version : undefined);
}

/** @throws `runtime/sub-module-mismatch`: then nobody of the family takes the code */
export function refuseFamily(catalog: ModuleCatalog, family: FamilyMember): void {
  refuseInside(catalog, family, construct(catalog, family));
}

function refuseInside(catalog: ModuleCatalog, family: FamilyMember, program: Module | undefined): void {
  const { kind, parts } = family;
  const inProgram = program && parts.map(({ path }) => [path, namesIn(program, kind, path)] as const);
  if (inProgram) refuseShared(kind, Object.fromEntries(inProgram));
  for (const [index, { path, member, inProgram: now }] of parts.entries()) {
    const part = construct(catalog, member);
    const shape = part ? shapeOf(describe(part)) : member.shape;
    const names = inProgram?.[index]?.[1];
    refuseOther(
      { path, kind: member.kind, shape },
      program && names ? shapeOf(describe(program), names) : now,
    );
    refuseInside(catalog, member, part);
  }
}

function construct(catalog: ModuleCatalog, member: FamilyMember): Module | undefined {
  const served = servedFor(catalog, member);
  if (!served) return undefined;
  const { kind, state, shared = {} } = member;
  let module: Module;
  try {
    module = new served.Class();
  } catch (error) {
    throw misfit(`the new code of "${kind}" cannot be constructed: ${messageOf(error)}`, error);
  }
  try {
    if (state) carryState(module, served.Class, { state });
    takeShared(module, shared);
  } catch (error) {
    throw misfit(`the new code of "${kind}" does not take its state: ${messageOf(error)}`, error);
  }
  return module;
}

function namesIn(program: Module, kind: string, path: string): ReturnType<typeof namesOf> {
  try {
    return namesOf(program, program.subModuleNamed(path));
  } catch (error) {
    throw misfit(`the new code of "${kind}" has no sub-module "${path}", which is an actor`, error, path);
  }
}

function misfit(message: string, cause: unknown, path?: string): CodedError {
  return new CodedError('runtime/sub-module-mismatch', message, {
    fields: path === undefined ? {} : { path },
    cause,
  });
}
