/** What came of a question: the answer, the Python that found it, what it printed, and what went wrong on the way. */
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { shownTime } from './shown-time.ts';
import { controls, VivariumElement } from './vivarium-element.ts';
import type { Notice } from './vivarium-notice.ts';

/** One try: code, and the error when Python refused it. */
export interface OutcomeAttempt {
  readonly code: string;
  readonly error?: string;
}

export interface OutcomeView {
  readonly state: 'idle' | 'running' | 'done' | 'failed';
  readonly question?: string;
  /** What is happening now, in a few words. */
  readonly stage?: string;
  /** Text a model is writing right now. */
  readonly streaming?: string;
  readonly answer?: string;
  /** Where the answer's words come from, said plainly. */
  readonly source?: string;
  readonly code?: string;
  readonly result?: string;
  readonly stdout?: string;
  readonly attempts?: readonly OutcomeAttempt[];
  readonly error?: Notice;
  readonly durationMs?: number;
  /** Set when this run was read back from the store, in wall-clock milliseconds. */
  readonly restoredAtMs?: number;
}

/** `<vivarium-outcome>`: progress and answer are announced politely, a failure at once; a run that was read back is not announced. */
export class VivariumOutcome extends VivariumElement {
  static readonly tag: string = 'vivarium-outcome';
  static override properties: PropertyDeclarations = { outcome: { attribute: false } };
  static override styles: CSSResultGroup = [
    controls,
    css`
      .stack {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--vivarium-space-4);
      }
      /* an empty live region must exist, and must take no place */
      .live:not(:has(> *)) {
        position: absolute;
      }
      .question {
        color: var(--vivarium-muted);
      }
      .answer {
        font-size: var(--vivarium-text-l);
        line-height: 1.5;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .facts {
        color: var(--vivarium-muted);
        font-size: var(--vivarium-text-s);
      }
      .stage {
        display: flex;
        gap: var(--vivarium-space-3);
        align-items: center;
      }
      .pulse {
        flex: none;
        width: 0.7rem;
        height: 0.7rem;
        border-radius: 50%;
        background: var(--vivarium-accent);
        animation: pulse 1.2s ease-in-out infinite;
      }
      @keyframes pulse {
        50% {
          opacity: 0.25;
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .pulse {
          animation: none;
        }
      }
      pre {
        max-height: 22rem;
        margin: var(--vivarium-space-2) 0 0;
        padding: var(--vivarium-space-3) var(--vivarium-space-4);
        overflow: auto;
        border: 1px solid var(--vivarium-line);
        border-radius: var(--vivarium-radius-s);
        background: var(--vivarium-inset);
        line-height: 1.55;
        tab-size: 4;
      }
      pre.wrap {
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      summary,
      h4 {
        font-size: var(--vivarium-text-s);
        font-weight: 600;
      }
      .refused summary {
        color: var(--vivarium-warn);
      }
    `,
  ];

  declare outcome: OutcomeView;

  constructor() {
    super();
    this.outcome = { state: 'idle' };
  }

  override render(): TemplateResult {
    const { outcome } = this;
    const isRestored = outcome.restoredAtMs !== undefined;
    return html`
      <div class="stack" data-state=${outcome.state}>
        ${outcome.question ? html`<p class="question">${outcome.question}</p>` : nothing}
        <div role="status" class="stack live">
          ${outcome.state === 'idle' ? html`<p class="muted">No question has been asked yet.</p>` : nothing}
          ${outcome.state === 'running' ? this.#progress(outcome) : nothing}
          ${isRestored ? nothing : answer(outcome)}
        </div>
        ${isRestored ? answer(outcome) : nothing}
        <vivarium-notice .notice=${isRestored ? undefined : outcome.error}></vivarium-notice>
        ${
          isRestored && outcome.error
            ? html`<vivarium-notice quiet .notice=${outcome.error}></vivarium-notice>`
            : nothing
        }
        ${this.#facts(outcome)} ${this.#work(outcome)}
      </div>
    `;
  }

  #progress({ stage }: OutcomeView): TemplateResult {
    return html`<p class="stage">
      <span class="pulse" aria-hidden="true"></span><span>${stage ?? 'Working'}</span>
    </p>`;
  }

  #facts({ source, durationMs, restoredAtMs, state }: OutcomeView): TemplateResult | typeof nothing {
    const isDone = state === 'done';
    const facts = [
      isDone ? source : undefined,
      isDone && durationMs !== undefined ? `${(durationMs / 1000).toFixed(1)} s` : undefined,
      restoredAtMs === undefined
        ? undefined
        : html`read back from the store; asked ${shownTime(restoredAtMs)}`,
    ].filter((fact) => fact !== undefined);
    if (facts.length === 0) return nothing;
    return html`<p class="facts" data-part="facts">
      ${facts.map((fact, at) => html`${at === 0 ? '' : ' · '}${fact}`)}
    </p>`;
  }

  #work({ attempts, code, streaming, stdout, result, state }: OutcomeView): TemplateResult {
    const last = (attempts?.length ?? 0) - 1;
    return html`
      ${(attempts ?? []).map((attempt, index) => refused(attempt, index, state === 'failed' && index === last))}
      ${streaming ? html`<pre class="wrap" aria-hidden="true" data-part="streaming">${streaming}</pre>` : nothing}
      ${code ? block('Python the model wrote', code, 'code') : nothing}
      ${stdout ? block('What it printed', stdout, 'stdout') : nothing}
      ${result ? block('Its result', result, 'result') : nothing}
    `;
  }
}

function answer({ answer: words }: OutcomeView): TemplateResult | typeof nothing {
  return words ? html`<p class="answer" data-part="answer">${words}</p>` : nothing;
}

/** @param isLast whether no other attempt followed */
function refused({ code, error }: OutcomeAttempt, index: number, isLast: boolean): TemplateResult {
  return html`<details class="refused" ?open=${isLast}>
    <summary>
      Attempt ${index + 1} was refused by Python${isLast ? '' : '; the model was shown the error'}
    </summary>
    <pre tabindex="0" aria-label="Code of attempt ${index + 1}">${code}</pre>
    <pre class="wrap" tabindex="0" aria-label="Error of attempt ${index + 1}">${error ?? ''}</pre>
  </details>`;
}

function block(title: string, text: string, part: string): TemplateResult {
  return html`<section>
    <h4>${title}</h4>
    <pre class=${part === 'code' ? '' : 'wrap'} tabindex="0" aria-label=${title} data-part=${part}>
${text}</pre>
  </section>`;
}
