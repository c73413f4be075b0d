/** What this page stands on: durability of the store, device, isolation. */
import type { CSSResultGroup, PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { controls, VivariumElement } from './vivarium-element.ts';

export interface StatusFact {
  readonly name: string;
  readonly value: string;
  readonly level: 'ok' | 'warning' | 'error' | 'unknown';
  /** One sentence: what it means or why it is so. */
  readonly detail?: string;
}

const marks: Readonly<Record<StatusFact['level'], string>> = {
  ok: '●',
  warning: '▲',
  error: '■',
  unknown: '○',
};
const words: Readonly<Record<StatusFact['level'], string>> = {
  ok: 'good',
  warning: 'limited',
  error: 'failed',
  unknown: 'not known yet',
};

/** `<vivarium-status>`: a list of facts, each with a mark that does not rely on colour alone; a change of level is announced. */
export class VivariumStatus extends VivariumElement {
  static readonly tag: string = 'vivarium-status';
  static override properties: PropertyDeclarations = {
    facts: { attribute: false },
    news: { state: true },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      dl {
        display: grid;
        gap: var(--vivarium-space-3);
      }
      .fact {
        display: grid;
        grid-template-columns: 1rem minmax(6rem, 8rem) 1fr;
        gap: 0 var(--vivarium-space-2);
        align-items: baseline;
      }
      dt {
        color: var(--vivarium-muted);
      }
      dd.detail {
        grid-column: 3;
        color: var(--vivarium-muted);
        font-size: var(--vivarium-text-s);
      }
      .mark {
        font-size: 0.7em;
      }
      .ok {
        color: var(--vivarium-ok);
      }
      .warning {
        color: var(--vivarium-warn);
      }
      .error {
        color: var(--vivarium-danger);
      }
      .unknown {
        color: var(--vivarium-muted);
      }
    `,
  ];

  declare facts: readonly StatusFact[];
  declare news: string;

  constructor() {
    super();
    this.facts = [];
    this.news = '';
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('facts');
    if (!before || before.length === 0) return;
    const known = new Map(before.map(({ name, level }) => [name, level]));
    const changes = this.facts
      .filter(({ name, level }) => known.get(name) !== level)
      .map(({ name, value, level }) => `${name}: ${value} (${words[level]})`);
    if (changes.length > 0) this.news = changes.join(', ');
  }

  override render(): TemplateResult {
    return html`<dl>${this.facts.map((fact) => this.#fact(fact))}</dl>
      <p class="hidden" role="status">${this.news}</p>`;
  }

  #fact(fact: StatusFact): TemplateResult {
    return html`<div class="fact" data-fact=${fact.name} data-level=${fact.level}>
      <span class="mark ${fact.level}" aria-hidden="true">${marks[fact.level]}</span>
      <dt>${fact.name}</dt>
      <dd>${fact.value} <span class="hidden">(${words[fact.level]})</span></dd>
      ${fact.detail ? html`<dd class="detail">${fact.detail}</dd>` : nothing}
    </div>`;
  }
}
