import { createRuntime, scriptedLm } from 'vivarium';
import { executor, gatherFacts } from './facts.ts';
import type { served } from './modules.worker.ts';

function element(selector: string): Element {
  const found = document.querySelector(selector);
  if (!found) throw new Error(`index.html has no ${selector}`);
  return found;
}

function addLine(selector: string, text: string): void {
  const line = document.createElement('li');
  line.textContent = text;
  element(selector).append(line);
}

const answer = '[[ ## answer ## ]]\nForty-two.\n\n[[ ## completed ## ]]';
const lm = scriptedLm({
  name: 'example',
  // time to save an edited file while a call is under way
  script: ({ messages }) =>
    JSON.stringify(messages).includes('Slowly')
      ? new Promise((resolve) => setTimeout(() => resolve(answer), 5000))
      : answer,
});
const runtime = createRuntime<typeof served.modules>({
  worker: (name) => new Worker(new URL('./modules.worker.ts', import.meta.url), { type: 'module', name }),
  lm,
  executor,
});

// in development an edited file takes over while the module runs
runtime.hub.subscribe((event) => {
  if (event.type === 'module-swap') addLine('#news', `${event.type} ${event.module}`);
  if (event.type === 'module-swap-fail') addLine('#news', `${event.type} ${event.error.message}`);
  if (event.type === 'hot-update-fail') addLine('#news', `${event.type} ${event.message}`);
});

async function start(): Promise<Record<string, unknown>> {
  const qa = await runtime.start('qa', { id: 'qa' });
  await qa.parameters.signature.set('QA, in a worker');
  element('#ask').addEventListener('submit', (event) => {
    event.preventDefault();
    const { value: question } = element('#ask input') as HTMLInputElement;
    qa.call({ question }).then(
      (reply) => addLine('#answers', reply.answer),
      (error: unknown) => addLine('#answers', String(error)),
    );
  });
  return gatherFacts(qa);
}

const facts = await start().catch((error: unknown) => ({ failed: String(error) }));
element('#facts').textContent = JSON.stringify(facts, null, 2);
