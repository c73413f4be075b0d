import { expectTypeOf } from 'vitest';
import type { ModuleEvent } from './registry-event.ts';
import type { RegisteredModule } from './registry-entry.ts';
import { registryModules } from './registry-test-modules.ts';
import { createRuntime } from '../runtime.ts';

const runtime = createRuntime({ modules: registryModules });

expectTypeOf(runtime.register({ kind: 'echo' })).toEqualTypeOf<RegisteredModule>();
// @ts-expect-error nobody serves this kind
runtime.register({ kind: 'nobody' });
// @ts-expect-error there are three things that calls can do
runtime.register({ kind: 'echo', dependencies: [{ id: 'a', whenDown: 'explode' }] });
// @ts-expect-error functions are no JSON
runtime.register({ kind: 'echo', metadata: { f: () => 1 } });

runtime.registry.watch('**', (event) => {
  expectTypeOf(event).toEqualTypeOf<ModuleEvent>();
  expectTypeOf(event.module).toBeString();
  expectTypeOf(event.atMs).toBeNumber();
  if (event.type === 'module-crash') expectTypeOf(event.willRestart).toBeBoolean();
  if (event.type === 'module-version-change') expectTypeOf(event.to).toBeString();
  // @ts-expect-error a stop has no version
  if (event.type === 'module-stop') void event.to;
});
