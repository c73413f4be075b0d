/** The event stream in words, newest last, bounded. */
import type { CSSResultGroup, PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import type { StampedEvent } from '../telemetry/index.ts';
import { controls, VivariumElement } from './vivarium-element.ts';

/** Events drawn at most; older ones stay with whoever holds them. */
const shownEvents = 300;

const tones: readonly (readonly [RegExp, string])[] = [
  [/(fail|lost|kill|give-up|crash)$/u, 'danger'],
  [/(restart|retry|suspect|degrade|reopen)$/u, 'warn'],
];

function show(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en', { maximumFractionDigits: 1 });
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '–');
}

/** A sandbox that was thrown away after its run is the rule, not a failure. */
function toneOf(event: StampedEvent): string {
  if (event.type === 'sandbox-kill' && event.cause === 'disposed') return '';
  return tones.find(([pattern]) => pattern.test(event.type))?.[1] ?? '';
}

function describe(event: StampedEvent): string {
  const { type: _type, atMs: _atMs, span: _span, ...facts } = event as StampedEvent & { span?: unknown };
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(' · ');
}

/** `<vivarium-event-log>`: a log region with a filter by type. */
export class VivariumEventLog extends VivariumElement {
  static readonly tag: string = 'vivarium-event-log';
  static override properties: PropertyDeclarations = {
    events: { attribute: false },
    filter: { state: true },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      .bar {
        display: flex;
        gap: var(--vivarium-space-3);
        align-items: center;
        margin-bottom: var(--vivarium-space-3);
      }
      .bar input {
        max-width: 20rem;
      }
      .bar span {
        white-space: nowrap;
      }
      ol {
        height: var(--vivarium-log-height, 18rem);
        overflow: auto;
        padding: var(--vivarium-space-2) 0;
        border: 1px solid var(--vivarium-line);
        border-radius: var(--vivarium-radius-s);
        background: var(--vivarium-surface);
        font: var(--vivarium-text-s) / 1.5 var(--vivarium-mono);
      }
      :host {
        container-type: inline-size;
      }
      li {
        display: grid;
        grid-template-columns: 6.5rem minmax(8rem, 12rem) 1fr;
        gap: 0 var(--vivarium-space-3);
        padding: 1px var(--vivarium-space-3);
      }
      li .facts {
        color: var(--vivarium-muted);
        overflow-wrap: anywhere;
      }
      .warn .type {
        color: var(--vivarium-warn);
      }
      .danger .type {
        color: var(--vivarium-danger);
      }
      @container (max-width: 40rem) {
        li {
          grid-template-columns: auto 1fr;
          padding-block: 3px;
        }
        li .facts {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  declare events: readonly StampedEvent[];
  declare filter: string;
  #followsEnd = true;

  constructor() {
    super();
    this.events = [];
    this.filter = '';
  }

  override willUpdate(_changed: PropertyValues<this>): void {
    const list = this.renderRoot.querySelector('ol');
    this.#followsEnd = !list || list.scrollHeight - list.scrollTop - list.clientHeight < 24;
  }

  override updated(): void {
    const list = this.renderRoot.querySelector('ol');
    if (list && this.#followsEnd) list.scrollTop = list.scrollHeight;
  }

  override render(): TemplateResult {
    const shown = this.events.filter(({ type }) => type.includes(this.filter.trim())).slice(-shownEvents);
    return html`
      <div class="bar">
        <input
          type="search"
          placeholder="Filter by type, such as supervisor"
          aria-label="Filter events by type"
          .value=${this.filter}
          @input=${(event: Event) => (this.filter = (event.target as HTMLInputElement).value)}
        />
        <span class="muted small">${shown.length} of ${this.events.length}</span>
      </div>
      <ol role="log" aria-label="Events" aria-live="off" tabindex="0">
        ${shown.map((event) => this.#line(event))}
        ${shown.length === 0 ? html`<li><span class="muted">Nothing yet.</span></li>` : nothing}
      </ol>
    `;
  }

  #line(event: StampedEvent): TemplateResult {
    const tone = toneOf(event);
    const at = new Date(event.atMs);
    const time = `${at.toLocaleTimeString([], { hour12: false })}.${String(at.getMilliseconds()).padStart(3, '0')}`;
    return html`<li class=${tone} data-type=${event.type}>
      <time class="muted">${time}</time><span class="type">${event.type}</span>
      <span class="facts">${describe(event)}</span>
    </li>`;
  }
}
