// What the escape proof puts beside the built app: the attempts, the real executor, and the one without walls.
import {
  createUnprotectedPythonExecutor,
  createUnstrippedPythonExecutor,
} from '../../../src/executor/escape/control.ts';
import { runEscapeSuite } from '../../../src/executor/escape/escape-suite.ts';
import { createPythonExecutor } from '../../../src/executor/language/python/python-executor.ts';

const assets = { baseUrl: '/sandbox/' };
const frame = { url: '/sandbox/frame.html' };
const walls = {
  whole: () => createPythonExecutor({ assets, frame }),
  'frame alone': () => createUnstrippedPythonExecutor({ assets, frame }),
  none: () => createUnprotectedPythonExecutor({ assets }),
};

/** @param {keyof typeof walls} kind @param {string} listenerUrl */
export async function run(kind, listenerUrl) {
  const executor = walls[kind]();
  try {
    return await runEscapeSuite({ executor, listenerUrl, channelName: `escape-${kind}` });
  } finally {
    await executor[Symbol.asyncDispose]();
  }
}
