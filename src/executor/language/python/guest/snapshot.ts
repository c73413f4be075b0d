/** What a snapshot of Python holds, and what a Python that starts from one does first. */
import type { PyodideAPI } from 'pyodide';
import type { GuestBoot } from '../../../sandbox/protocol.ts';
import { runCompiled } from './compiled-code.ts';
import { findPages, packHeapImage } from '../../../guest/heap-image.ts';
import { loadPython, whenUnused } from './load-interpreter.ts';

/** What people's programs import most. No module here may draw a random number, or keep a time or a file, when it is imported. */
const commonModules =
  'abc array ast asyncio base64 bisect calendar collections contextlib copy csv dataclasses datetime decimal difflib enum fractions functools ' +
  'hashlib heapq html inspect io itertools json linecache math numbers operator os pathlib pprint random re shutil statistics string struct ' +
  'textwrap time traceback types typing unicodedata urllib.parse uuid warnings weakref';

/** No guest has run, and none will: the worker ends with this. */
const prepare = `
import gc
for name in ${JSON.stringify(commonModules)}.split():
    __import__(name)
del name
gc.collect()
del gc
`;

/**
 * Every interpreter from one snapshot would draw the same numbers. The seed of string hashes cannot be changed any more: each dict in the heap is
 * laid out by it. Each snapshot has one of its own.
 */
const renew = `
import logging, random, time
random.seed()
logging._startTime = time.time_ns()
del logging, random, time
`;

/** Boots an interpreter for the one purpose of taking its memory. */
export async function makeSnapshot(boot: GuestBoot): Promise<ArrayBuffer> {
  let before: readonly number[] = [];
  const python = await loadPython(boot, {
    _makeSnapshot: true,
    createPyodideModule: whenUnused((heap) => {
      before = findPages(heap);
    }),
  });
  python.runPython(prepare);
  const snapshot = python.makeMemorySnapshot();
  // its second number says where the heap begins
  const headerBytes = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 2)[1] as number;
  return packHeapImage(snapshot.subarray(0, headerBytes), snapshot.subarray(headerBytes), before).buffer;
}

/** Runs the harness in `scope`. */
export function runHarness(python: PyodideAPI, scope: unknown, isFromSnapshot: boolean): void {
  if (isFromSnapshot) python.runPython(renew, { globals: scope as never });
  runCompiled(python, 'harness', scope);
}
