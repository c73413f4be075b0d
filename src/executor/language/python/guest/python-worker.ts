/** Entry of the worker that runs Python; bundled as one classic script, because the frame can start no other kind. */
import './prelude.ts';
import { messageOf } from '../../../../base/index.ts';
import { systemClock } from '../../../../platform/index.ts';
import type { Engine } from '../../../guest/engine.ts';
import { pythonSignalOf, raiseInterrupt, sleepUnlessInterrupted } from '../../../guest/interrupt-flag.ts';
import { serveGuest } from '../../../guest/serve-guest.ts';
import { limitFiles } from '../../../guest/file-quota.ts';
import type { FileSystem, MemoryFiles } from '../../../guest/file-quota.ts';
import { loadInterpreter } from './load-interpreter.ts';
import type { RawWrite } from './load-interpreter.ts';
import { PythonEngine } from './python-engine.ts';
import { makeSnapshot, runHarness } from './snapshot.ts';
import { TimeSignal } from './time-signal.ts';

/** The part of the loader's inside that hears of its end. */
interface FatalErrors {
  on_fatal?: (error: unknown) => void;
  fatal_error: (error: unknown) => void;
}

/** In the words of the engines: `Maximum call stack size exceeded`, `too much recursion`. */
const isStackSpent = (error: unknown): boolean => /call stack|too much recursion/u.test(messageOf(error));

serveGuest(async (boot, output): Promise<Engine> => {
  const time = new TimeSignal(systemClock);
  const signal = boot.interrupt ? pythonSignalOf(boot.interrupt) : time;
  let isDying = false;
  const write: RawWrite = (stream, bytes) => {
    if (!isDying) output.writeRaw(stream, bytes);
  };
  const python = await loadInterpreter(boot, write, signal);
  // its types leave out what it does at its own death
  const api = (python as unknown as { _api: FatalErrors })._api;
  const tell = api.fatal_error;
  api.fatal_error = (error) => {
    // the loader would print where Python was, as if the guest had
    isDying = true;
    try {
      tell(error);
    } finally {
      isDying = false;
    }
  };
  api.on_fatal = (error) => output.die(error, isStackSpent(error) ? 'stack' : undefined);
  const { interrupt } = boot;
  const engine = new PythonEngine(
    python,
    {
      install: (scope) => runHarness(python, scope, boot.snapshot instanceof ArrayBuffer),
      interruptAgain: () => (interrupt ? raiseInterrupt(interrupt) : time.raise()),
      nap: interrupt && ((durationMs) => sleepUnlessInterrupted(interrupt, durationMs)),
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
