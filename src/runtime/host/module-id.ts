/** Ids of hosted modules are minted and checked here. */
import { CodedError } from '../../base/index.ts';
import { randomHex } from '../../platform/index.ts';
import type { Random } from '../../platform/index.ts';

const maxLength = 128;
const wellFormed = /^[\w.:/-]+$/u;

/** `module_` and 16 hex digits. */
export function createModuleId(random: Random): string {
  return `module_${randomHex(random, 8)}`;
}

/** @throws `runtime/module-id-invalid` */
export function checkModuleId(id: string): string {
  if (id.length <= maxLength && wellFormed.test(id)) return id;
  throw new CodedError(
    'runtime/module-id-invalid',
    `module id ${JSON.stringify(id.slice(0, 40))} is not 1 to ${maxLength} letters, digits, "_", ".", ":", "/" or "-"`,
    { fields: { id: id.slice(0, 200) } },
  );
}
