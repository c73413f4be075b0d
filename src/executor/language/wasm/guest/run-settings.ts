/** What a run was asked for, from its variables. Names were checked on the page, kinds are here. */
import type { ReadValue } from '../../../guest/guest-values.ts';
import { CallFault } from './arguments.ts';

export interface RunSettings {
  /** `undefined`: what the module starts with. */
  readonly call: string | undefined;
  readonly given: readonly ReadValue[];
  readonly stdin: Uint8Array;
  readonly seed: number | undefined;
  readonly timeMs: number | undefined;
  readonly fuel: number | undefined;
}

type Variables = Readonly<Record<string, ReadValue>>;

function wrong(name: string, expected: string): CallFault {
  return new CallFault('TypeError', `the variable ${name} must be ${expected}`);
}

function readNumber(variables: Variables, name: string): number | undefined {
  const value = variables[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(name, 'a number');
}

/** The generator takes 32 bits: other numbers would give the chance of one of these. */
function readSeed({ seed }: Variables): number | undefined {
  if (seed === undefined) return undefined;
  if (typeof seed === 'number' && Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed;
  throw wrong('seed', 'a whole number from 0 to 4294967295');
}

function readFuel({ fuel }: Variables): number | undefined {
  if (fuel === undefined) return undefined;
  if (typeof fuel === 'number' && Number.isSafeInteger(fuel) && fuel >= 0) return fuel;
  throw wrong('fuel', 'a whole number, 0 or more');
}

function readInput({ stdin = '' }: Variables): Uint8Array {
  if (typeof stdin === 'string') return new TextEncoder().encode(stdin);
  if (stdin instanceof Uint8Array) return stdin;
  throw wrong('stdin', 'text or bytes');
}

/** Throws {@link CallFault}. */
export function readSettings(variables: Variables): RunSettings {
  const { call, arguments: given = [] } = variables;
  if (call !== undefined && typeof call !== 'string') throw wrong('call', 'the name of an exported function');
  if (!Array.isArray(given)) throw wrong('arguments', 'a list');
  return {
    call,
    given: given as readonly ReadValue[],
    stdin: readInput(variables),
    seed: readSeed(variables),
    timeMs: readNumber(variables, 'timeMs'),
    fuel: readFuel(variables),
  };
}
