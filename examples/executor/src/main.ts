import { describePolicy } from 'vivarium/executor';
import { element, find } from './element.ts';
import { languages } from './languages.ts';
import type { Language } from './languages.ts';
import { describeOutcome } from './outcome-words.ts';
import { Output } from './output.ts';
import { openSession, policy } from './sessions.ts';

const form = find('#program', HTMLFormElement);
const select = find('#language', HTMLSelectElement);
const editor = find('#code', HTMLTextAreaElement);
const status = find('#outcome', HTMLElement);
const output = new Output(find('#output', HTMLElement));

/** What was typed in each language. */
const drafts = new Map<Language, string>();
const chosen = (): Language => select.value as Language;

function say(kind: string, lines: readonly string[]): void {
  status.className = kind;
  status.replaceChildren(...lines.map((line) => element('p', line)));
}

async function execute(language: Language, signal: AbortSignal): Promise<void> {
  const { title, context } = languages[language];
  const code = editor.value;
  output.clear();
  say('running', [`${title} is running …`]);
  const session = await openSession(language);
  const outcome = await session.execute(code, context, {
    signal,
    onOutput: (part) => output.print(part),
    onDisplay: (value) => void output.show(value),
  });
  if (outcome.type === 'threw') output.print({ stream: 'stderr', text: outcome.error.traceback });
  if ('value' in outcome && outcome.value !== null) output.addValue(outcome.value);
  say(outcome.type, describeOutcome(outcome));
}

/** Ends the run in progress. */
let running: AbortController | undefined;

/** A button that can do nothing just now says so and keeps the focus, which `disabled` would take from it. */
function setRunning(controller: AbortController | undefined): void {
  running = controller;
  find('#run', HTMLButtonElement).ariaDisabled = String(controller !== undefined);
  find('#stop', HTMLButtonElement).ariaDisabled = String(controller === undefined);
}

async function run(): Promise<void> {
  if (running) return;
  const controller = new AbortController();
  setRunning(controller);
  // a call that cannot be made at all is no outcome
  await execute(chosen(), controller.signal).catch((error: unknown) => say('failed', [String(error)]));
  setRunning(undefined);
}

function showLanguage(): void {
  editor.value = drafts.get(chosen()) ?? languages[chosen()].program;
  // its interpreter starts while the program is read; if it does not, the first run says why
  openSession(chosen()).catch(() => undefined);
}

select.append(...Object.entries(languages).map(([name, { title }]) => new Option(title, name)));
select.addEventListener('change', showLanguage);
editor.addEventListener('input', () => drafts.set(chosen(), editor.value));
editor.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void run();
});
find('#stop', HTMLButtonElement).addEventListener('click', () => running?.abort());
find('#policy', HTMLUListElement).append(...describePolicy(policy).map((line) => element('li', line)));
showLanguage();
