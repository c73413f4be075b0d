// What the escape proof puts beside the built app: the attempts, and executors behind all walls, some, or none.
import { escapeScripts } from '../../../src/executor/escape/attempts.ts';
import { runEscapeSuite } from '../../../src/executor/escape/escape-suite.ts';
import { openEscapeRealm } from '../../../src/executor/escape/realm.ts';

const assets = { baseUrl: '/sandbox/' };
const frame = { url: '/sandbox/frame.html' };

/** @param {import('../../../src/executor/escape/attempt.ts').WallKind} kind @param {string} listenerUrl */
export async function run(kind, listenerUrl) {
  const realm = openEscapeRealm(kind, { assets, frame, scripts: escapeScripts });
  try {
    return await runEscapeSuite({ realm, listenerUrl, channelName: `escape-${kind}` });
  } finally {
    await realm[Symbol.asyncDispose]();
  }
}
