/** The left of the page: the question, its answer, and the numbers of the table. */
import type { TemplateResult } from 'lit';
import { html, nothing } from 'lit';
import type { PlaygroundCommands, PlaygroundView } from './view.ts';

/** Question box, prepared questions, run and stop. */
export function askSection(view: PlaygroundView, commands: PlaygroundCommands | undefined): TemplateResult {
  const isRunning = view.outcome.state === 'running';
  const canRun =
    view.isReady &&
    !isRunning &&
    view.source.state !== 'applying' &&
    view.question.trim() !== '' &&
    view.table.rows.length > 0;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (canRun) commands?.askQuestion(view.question);
  };
  return html`<section class="panel" id="ask" aria-labelledby="ask-title">
    <h2 id="ask-title">Ask</h2>
    <form class="ask" @submit=${submit}>
      <label for="question">A question about ${view.tableName || 'the table'}</label>
      <textarea
        id="question"
        rows="2"
        maxlength="2000"
        placeholder="Which species is the heaviest on average?"
        .value=${view.question}
        @input=${(event: Event) => commands?.editQuestion((event.target as HTMLTextAreaElement).value)}
        @keydown=${(event: KeyboardEvent) => {
          // Enter that takes an input method's candidate is not the reader's wish to ask
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          if (canRun) commands?.askQuestion(view.question);
        }}
      ></textarea>
      <div class="actions">
        <button class="primary" type="submit" ?disabled=${!canRun}>Run</button>
        <button type="button" ?disabled=${!isRunning} @click=${() => commands?.stopRun()}>Stop</button>
        <span class="muted small">${modelLine(view)}</span>
      </div>
    </form>
    ${view.prepared.length === 0 ? nothing : preparedQuestions(view, commands)}
  </section>`;
}

function modelLine({ choice, isReady, canStart }: PlaygroundView): string {
  if (canStart) return 'The program does not run.';
  if (!isReady) return 'Starting…';
  if (choice.kind === 'scripted') return 'Scripted model: it knows the prepared questions only.';
  return `Model ${choice.model} at ${choice.address}`;
}

function preparedQuestions(view: PlaygroundView, commands: PlaygroundCommands | undefined): TemplateResult {
  const isBusy = view.outcome.state === 'running' || view.source.state === 'applying';
  return html`<div class="prepared">
    <p class="small muted" id="prepared-title">Prepared questions</p>
    <ul aria-labelledby="prepared-title">
      ${view.prepared.map(
        (question) =>
          html`<li>
            <button
              class="chip"
              type="button"
              ?disabled=${!view.isReady || isBusy}
              @click=${() => commands?.askQuestion(question)}
            >
              ${question}
            </button>
          </li>`,
      )}
    </ul>
  </div>`;
}

/** The answer and how it was found. */
export function answerSection(view: PlaygroundView): TemplateResult {
  return html`<section class="panel" aria-labelledby="answer-title">
    <h2 id="answer-title">Answer</h2>
    <vivarium-outcome .outcome=${view.outcome}></vivarium-outcome>
  </section>`;
}

/** Correlation matrix and scatter plot. */
export function numbersSection(
  view: PlaygroundView,
  commands: PlaygroundCommands | undefined,
): TemplateResult {
  const { numbers, scatter } = view;
  const names = view.table.columns.filter(({ kind }) => kind === 'number').map(({ name }) => name);
  return html`<section class="panel" aria-labelledby="numbers-title">
    <h2 id="numbers-title">Numbers</h2>
    <p class="about">
      ${
        numbers && !numbers.error
          ? `Pearson correlation of ${numbers.labels.length} columns over the ${numbers.rows.toLocaleString()} complete rows, computed in the worker on ${numbers.device}.`
          : 'Correlations of the numeric columns.'
      }
    </p>
    <vivarium-notice .notice=${numbers?.error}></vivarium-notice>
    <div class="charts">
      ${
        numbers && !numbers.error
          ? html`<vivarium-correlation-plot
              .labels=${numbers.labels}
              .matrix=${numbers.matrix}
            ></vivarium-correlation-plot>`
          : nothing
      }
      ${
        scatter
          ? html`<div class="scatter">
              <div class="axes">
                ${axis({ which: 'x', label: 'Across', value: scatter.x }, names, commands)}
                ${axis({ which: 'y', label: 'Up', value: scatter.y }, names, commands)}
              </div>
              <vivarium-scatter-plot
                .points=${scatter.points}
                x-label=${scatter.x}
                y-label=${scatter.y}
              ></vivarium-scatter-plot>
            </div>`
          : nothing
      }
    </div>
  </section>`;
}

function axis(
  { which, label, value }: { readonly which: 'x' | 'y'; readonly label: string; readonly value: string },
  names: readonly string[],
  commands: PlaygroundCommands | undefined,
): TemplateResult {
  return html`<label class="axis">
    <span>${label}</span>
    <select
      .value=${value}
      @change=${(event: Event) => commands?.chooseAxes({ [which]: (event.target as HTMLSelectElement).value })}
    >
      ${names.map((name) => html`<option value=${name} ?selected=${name === value}>${name}</option>`)}
    </select>
  </label>`;
}
