/** Entry of the worker that runs Python; bundled as one classic script, because the frame can start no other kind. */
import './prelude.ts';
import { systemClock } from '../../../../platform/index.ts';
import type { Engine } from '../../../guest/engine.ts';
import { pythonSignalOf, raiseInterrupt } from '../../../guest/interrupt-flag.ts';
import { serveGuest } from '../../../guest/serve-guest.ts';
import { limitFiles } from '../../../guest/file-quota.ts';
import type { FileSystem, MemoryFiles } from '../../../guest/file-quota.ts';
import { loadInterpreter } from './load-interpreter.ts';
import { PythonEngine } from './python-engine.ts';
import { makeSnapshot, runHarness } from './snapshot.ts';
import { TimeSignal } from './time-signal.ts';

serveGuest(async (boot, output): Promise<Engine> => {
  const time = new TimeSignal(systemClock);
  const signal = boot.interrupt ? pythonSignalOf(boot.interrupt) : time;
  const python = await loadInterpreter(boot, (stream, bytes) => output.writeRaw(stream, bytes), signal);
  const internals = python as unknown as { _api: { on_fatal?: (error: unknown) => void } };
  internals._api.on_fatal = (error) => output.die(error);
  const { interrupt } = boot;
  const engine = new PythonEngine(
    python,
    {
      install: (scope) => runHarness(python, scope, boot.snapshot instanceof ArrayBuffer),
      interruptAgain: () => (interrupt ? raiseInterrupt(interrupt) : time.raise()),
      time,
    },
    output,
  );
  // emscripten's types leave out the nodes of its files, which the quota is kept by
  const files = python.FS as unknown as FileSystem & {
    readonly filesystems: { readonly MEMFS: MemoryFiles };
  };
  limitFiles(files, files.filesystems.MEMFS, boot.settings.fileBytes);
  return engine;
}, makeSnapshot);
