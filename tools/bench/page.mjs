// The page in which one bench module runs; `virtual:bench` is the module that tools/bench.mjs chose.
import * as bench from 'virtual:bench';

/**
 * @param {string} name the exported bench function
 * @param {boolean} sabotage
 */
globalThis.runBench = async (name, sabotage) => {
  const run = bench[name];
  if (typeof run !== 'function')
    throw new Error(`the bench module exports ${Object.keys(bench).join(', ') || 'nothing'}, not ${name}`);
  if (!globalThis.crossOriginIsolated) throw new Error('the bench page is not cross-origin isolated');
  await run((row) => globalThis.reportRow(row), { sabotage });
};
globalThis.isBenchReady = true;
