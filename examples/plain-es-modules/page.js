// what runs on the page
import { createRuntime } from './node_modules/vivarium/dist/plain/vivarium.js';

const runtime = createRuntime({
  worker: (name) => new Worker(new URL('./modules.worker.js', import.meta.url), { type: 'module', name }),
});
const text = 'A vivarium is a glass box for living things.';

async function gatherFacts() {
  const critic = await runtime.start('critic');
  await critic.parameters.maxWords.set(5);
  const first = await critic.call({ text });

  // the next version is a file beside this one
  await critic.swap({ url: './critic-1.1.js' });
  const second = await critic.call({ text });
  const { value: maxCharacters } = critic.parameters.maxCharacters;

  await critic.rollback();
  const { value: maxWords } = critic.parameters.maxWords;
  const versions = await critic.versions();
  return { first, second, maxCharacters, maxWords, versions, version: critic.version };
}

const facts = await gatherFacts().catch((error) => ({ failed: String(error) }));
document.querySelector('#facts').textContent = JSON.stringify(facts, null, 2);
