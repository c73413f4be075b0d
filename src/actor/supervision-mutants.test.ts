import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { PureWorld } from './supervision-test-driver.ts';
import type { Decide } from './supervision-test-driver.ts';
import { mutants } from './supervision-test-mutants.ts';
import type { Mutant } from './supervision-test-mutants.ts';
import { OtpWorld } from './supervision-test-otp.ts';
import { scenarios } from './supervision.contract.ts';

const source = import.meta.dirname;
const folder = join(source, '../../.cache/supervision-mutants', String(process.pid));
const judgement = readdirSync(source).filter(
  (name) => /^(?:supervision|restart).*\.ts$/.test(name) && !/-test-|\.test\.ts$|tree/.test(name),
);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function mutate(text: string, { file, find, replace }: Mutant): string {
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${parts.length - 1} times in ${file}: ${find}`);
  return parts.join(replace);
}

async function load(name: string, mutant?: Mutant): Promise<Decide> {
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  for (const file of judgement) {
    const text = readFileSync(join(source, file), 'utf8');
    writeFileSync(join(at, file), mutant?.file === file ? mutate(text, mutant) : text);
  }
  const module = (await import(join(at, 'supervision.ts'))) as { decide: Decide };
  return module.decide;
}

/** Whether a judgement does what OTP does. One that fails or never ends does not. */
function isRight(decide: Decide): boolean {
  let events = 0;
  const bounded: Decide = (state, event, nowSeconds) => {
    if (++events > 2_000) throw new Error('no end');
    return decide(state, event, nowSeconds);
  };
  const result = fc.check(
    fc.property(scenarios, ({ tree, commands }) => {
      events = 0;
      const [ours, theirs] = [new PureWorld(tree, bounded), new OtpWorld(tree)];
      return commands.every((command) => {
        const expected = JSON.stringify(theirs.perform(command));
        return JSON.stringify(ours.perform(command)) === expected;
      });
    }),
    { numRuns: 4000, seed: 1, endOnFailure: true },
  );
  return !result.failed;
}

test('the judgement itself passes', async () => {
  expect(isRight(await load('unchanged'))).toBe(true);
}, 60_000);

test.each(mutants)(
  'caught: $name',
  async (mutant) => {
    expect(isRight(await load(String(mutants.indexOf(mutant)), mutant))).toBe(false);
  },
  60_000,
);
