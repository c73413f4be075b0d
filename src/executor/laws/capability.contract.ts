/** What a language says it can do is what the laws have seen. */
import { expect, test } from 'vitest';
import type { LanguageCapabilities } from '../language/language.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { isLacking } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

/** All but `isRenewable`, of which another law is ("everything is told to the hub"), and `keepsTime`, which shows only where no memory is shared. */
type Spelled = Exclude<keyof LanguageCapabilities, 'isRenewable' | 'keepsTime'>;

/** The part of a spelling behind each capability. */
const partsOf = (spelling: Spelling): Readonly<Record<Spelled, unknown>> => ({
  hasVariables: spelling.values,
  hasFiles: spelling.readFiles,
  hasImports: spelling.imports,
  hasTools: spelling.tools,
  hasEnvironment: spelling.environment,
  hasWorkingDirectory: spelling.workingDirectory,
  hasDisplays: spelling.displays,
  hasSubmit: spelling.submit,
  hasSubmitFields: spelling.submitFields,
  hasPackages: spelling.packages,
  hasDeniedNames: spelling.namesEval,
  isRestorable: spelling.restoring,
});

/** Throws where the language says something else of itself than its spelling does. */
export function expectSpelled(capabilities: LanguageCapabilities, spelling: Spelling): void {
  for (const [name, part] of Object.entries(partsOf(spelling))) {
    expect([name, capabilities[name as Spelled] ?? false]).toEqual([name, !isLacking(part)]);
  }
}

/** @param open makes an executor of the kind under test */
export function capabilityLaws(open: OpenExecutor, spelling: Spelling): void {
  test('it says what it can do, and there is a law or a test of each', async () => {
    await using executor = open({ limits: { warmSandboxes: 0 } });
    expectSpelled(executor.capabilities, spelling);
    expect(Object.isFrozen(executor.capabilities)).toBe(true);
  });
}
