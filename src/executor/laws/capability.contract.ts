/** What a language says it can do is what the laws have seen. */
import { expect, test, vi } from 'vitest';
import type { LanguageCapabilities } from '../language/language.ts';
import { valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';
import { isLacking } from './spelling.contract.ts';
import type { Spelling } from './spelling.contract.ts';

/** All but two, of which laws are by themselves: `isRenewable` ("everything is told to the hub") and `keepsTime` (below). */
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

  test('where no memory is shared a loop is ended at its time: by itself, if the language says so', async () => {
    const { number, loop } = spelling;
    // as on a page without isolation headers: nothing lets the frame share memory, so nobody can ask a guest to stop
    const allow = vi.spyOn(HTMLIFrameElement.prototype, 'allow', 'set').mockImplementation(() => undefined);
    try {
      await using executor = open({ limits: { warmSandboxes: 0 } });
      await using session = await executor.createSession();
      expect(await valueOf(session, number(1))).toBe(1);
      const outcome = await session.execute(loop, {}, { timeoutMs: 300 });
      expect(outcome).toMatchObject({ type: 'exceeded', limit: 'time' });
      expect(outcome.isSandboxLost).toBe(!executor.capabilities.keepsTime);
      expect(await valueOf(session, number(2))).toBe(2);
    } finally {
      allow.mockRestore();
    }
  });
}
