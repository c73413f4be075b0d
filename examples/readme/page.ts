// page.ts — what runs on the page
import { createRuntime, openAiCompatible, openPageStore } from 'vivarium';
import type { modules } from './modules.worker.ts';

const runtime = createRuntime<typeof modules>({
  worker: (name) => new Worker(new URL('./modules.worker.ts', import.meta.url), { type: 'module', name }),
  store: await openPageStore({ name: 'my-app' }),
  lm: openAiCompatible({ baseUrl: 'http://localhost:11434/v1', model: 'llama3.2' }),
});

const answer = await runtime.start('answer', { id: 'answer' }); // finds its stored state again
await answer.parameters.maxWords.set(20); // resolves when it is on disk
console.log(await answer.call({ question: 'What is a vivarium?' }));
