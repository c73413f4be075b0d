// What the escape proof puts beside the built app: the attempts, executors behind all walls, some, or none, and what an engine can do.
import { escapeAttempts, escapeScripts } from '../../../src/executor/escape/attempts.ts';
import { runEscapeSuite } from '../../../src/executor/escape/escape-suite.ts';
import { openEscapeRealm } from '../../../src/executor/escape/realm.ts';
import { askCapabilities } from './capabilities.mjs';

const assets = { baseUrl: '/sandbox/' };
const frames = { file: { url: '/sandbox/frame.html' }, srcdoc: 'srcdoc' };

/**
 * @param {import('../../../src/executor/escape/attempt.ts').WallKind} kind
 * @param {keyof typeof frames} frame
 * @param {string} listenerUrl
 * @param {readonly string[]} [watchers] only the attempts that these would see
 */
export async function run(kind, frame, listenerUrl, watchers) {
  const attempts = escapeAttempts.filter(({ watcher }) => !watchers || watchers.includes(watcher));
  const realm = openEscapeRealm(kind, { assets, frame: frames[frame], scripts: escapeScripts });
  try {
    const channelName = `escape-${kind}-${frame}`;
    return await runEscapeSuite({ realm, attempts, listenerUrl, channelName });
  } finally {
    await realm[Symbol.asyncDispose]();
  }
}

/** @param {keyof typeof frames} frame */
export const ask = (frame) => askCapabilities({ assets, frame: frames[frame] });
