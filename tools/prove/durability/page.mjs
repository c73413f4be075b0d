// A tab of the proof: a client itself, the owner of workers that are clients, or the reader of what they left behind.
import { serveClient } from './serve-client.mjs';
import { Line } from './line.mjs';
import { readBack } from './reader.mjs';
import { writeSteadily } from './write-steadily.mjs';

/** @type {Map<string, Worker>} */
const workers = new Map();

function startWorker(settings) {
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' });
  worker.postMessage(settings);
  workers.set(settings.name, worker);
}

const settings = JSON.parse(decodeURIComponent(location.hash.slice(1)));
if (settings.role === 'reader') {
  const line = await Line.open(settings.address);
  line.onmessage = (asked) => {
    void readBack(asked).then(
      (state) => line.send({ type: 'read', ...state }),
      (error) => line.send({ type: 'read', error: String(error?.stack ?? error) }),
    );
  };
  line.send({ type: 'hello', name: settings.name });
} else if (settings.role === 'writer') {
  await writeSteadily(await Line.open(settings.address), settings.kind);
} else {
  await serveClient(settings, (message) => {
    if (message.type === 'start-worker') startWorker(message.settings);
    if (message.type === 'end-worker') workers.get(message.name)?.terminate();
  });
}
