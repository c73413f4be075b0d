// Makes this realm a client of the log: it opens the store that it was told to and works until it is stopped.
import { Client } from './client.mjs';
import { Line } from './line.mjs';
import { SeededRandom } from './random.mjs';
import { openNamedStore } from './stores.mjs';
import { WatchedEngine } from './watched-engine.mjs';

const operationsAtOnce = 3;

/**
 * @param {{ address: string, name: string, seed: string, epoch: string, store: string, kind: string, abortShare: number }} settings
 * @param {(message: any) => void} [onmessage] what is not for the client
 */
export async function serveClient(settings, onmessage = () => undefined) {
  const { address, name, seed, epoch, abortShare } = settings;
  const random = new SeededRandom(`${seed} ${name}`);
  const engine = new WatchedEngine(random, abortShare);
  const line = await Line.open(address);
  const store = await openNamedStore(settings.kind, settings.store);
  const client = new Client({ name, epoch, random, store, line, engine });
  line.onmessage = (message) => {
    if (message.type === 'stop') client.stop();
    else onmessage(message);
  };
  line.send({ type: 'hello', name });
  await client.work(operationsAtOnce);
  line.send({ type: 'idle', name });
}
