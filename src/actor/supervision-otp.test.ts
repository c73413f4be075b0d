import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decide } from './supervision.ts';
import { PureWorld } from './supervision-test-driver.ts';
import { OtpWorld } from './supervision-test-otp.ts';
import { RealWorld } from './supervision-test-real.ts';
import type { Command, ScenarioSupervisor, Step, World } from './supervision-test-scenario.ts';

interface Recorded {
  readonly tree: ScenarioSupervisor;
  readonly steps: readonly (Step & { readonly command: Command })[];
}

const file = new URL('../../fixtures/otp/supervisor.json', import.meta.url);
const { scenarios } = JSON.parse(readFileSync(file, 'utf8')) as { readonly scenarios: readonly Recorded[] };

async function expectRecorded(world: World, { steps }: Recorded): Promise<void> {
  for (const { command, ...step } of steps) {
    expect({ command, ...(await world.perform(command)) }).toEqual({ command, ...step });
  }
  world.close?.();
}

test('there is enough of what OTP did', () => {
  const steps = scenarios.flatMap((scenario) => scenario.steps);
  const gaveUp = steps.filter(({ log }) => log.some((line) => line.startsWith('gave-up')));
  expect(scenarios.length).toBeGreaterThanOrEqual(100);
  expect(steps.length).toBeGreaterThan(2_000);
  expect(gaveUp.length).toBeGreaterThan(50);
});

test('the reference does what OTP did', async () => {
  for (const scenario of scenarios) await expectRecorded(new OtpWorld(scenario.tree), scenario);
});

test('the judgement does what OTP did', async () => {
  for (const scenario of scenarios) await expectRecorded(new PureWorld(scenario.tree, decide), scenario);
});

test('the supervisor does what OTP did, with real actors', async () => {
  for (const scenario of scenarios.slice(0, 60)) await expectRecorded(new RealWorld(scenario.tree), scenario);
}, 120_000);
