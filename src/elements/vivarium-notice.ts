/** A typed error, said plainly: what happened, what to do next, and the code to look it up by. */
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { controls, VivariumElement } from './vivarium-element.ts';

export interface Notice {
  /** Stable error code, `layer/what`. */
  readonly code?: string;
  readonly message: string;
  /** What the reader can do now. */
  readonly next?: string;
  /** The facts behind the message: field, value, expectation. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** How loud a notice is. */
export type NoticeLevel = 'error' | 'warning' | 'info';

const words: Readonly<Record<NoticeLevel, string>> = { error: 'Error', warning: 'Warning', info: 'Note' };

/** `<vivarium-notice>`: an error is announced at once, the other levels politely. */
export class VivariumNotice extends VivariumElement {
  static readonly tag: string = 'vivarium-notice';
  static override properties: PropertyDeclarations = {
    notice: { attribute: false },
    level: { reflect: true },
    isDismissible: { type: Boolean, attribute: 'dismissible' },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      .box {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: var(--vivarium-space-1) var(--vivarium-space-3);
        padding: var(--vivarium-space-3) var(--vivarium-space-4);
        border-left: 3px solid var(--tone);
        border-radius: var(--vivarium-radius-s);
        background: var(--soft);
        overflow-wrap: anywhere;
      }
      .error {
        --tone: var(--vivarium-danger);
        --soft: var(--vivarium-danger-soft);
      }
      .warning {
        --tone: var(--vivarium-warn);
        --soft: var(--vivarium-warn-soft);
      }
      .info {
        --tone: var(--vivarium-info);
        --soft: var(--vivarium-info-soft);
      }
      .message {
        font-weight: 550;
        white-space: pre-wrap;
      }
      .next,
      .facts {
        grid-column: 1 / -1;
      }
      .code {
        color: var(--tone);
      }
      button {
        min-height: 2rem;
        padding: 0 var(--vivarium-space-2);
        align-self: start;
      }
      .facts {
        font-size: var(--vivarium-text-s);
      }
      pre {
        margin: var(--vivarium-space-2) 0 0;
        white-space: pre-wrap;
      }
    `,
  ];

  declare notice: Notice | undefined;
  declare level: NoticeLevel;
  declare isDismissible: boolean;

  constructor() {
    super();
    this.level = 'error';
    this.isDismissible = false;
  }

  override render(): TemplateResult {
    const { notice, level } = this;
    return html`<div role=${level === 'error' ? 'alert' : 'status'}>
      ${notice ? html`<div class="box ${level}">${this.#body(notice)}</div>` : nothing}
    </div>`;
  }

  #body(notice: Notice): TemplateResult {
    const { code, next, fields } = notice;
    return html`
      <p class="message"><span class="hidden">${words[this.level]}: </span>${notice.message}</p>
      ${
        this.isDismissible
          ? html`<button class="quiet" aria-label="Dismiss" @click=${this.#dismiss}>✕</button>`
          : nothing
      }
      ${next ? html`<p class="next">${next}</p>` : nothing}
      ${code ? html`<p class="facts"><code class="code">${code}</code></p>` : nothing}
      ${
        fields && Object.keys(fields).length > 0
          ? html`<details class="facts">
              <summary>Details</summary>
              <pre>${JSON.stringify(fields, null, 2)}</pre>
            </details>`
          : nothing
      }
    `;
  }

  readonly #dismiss = (): void => this.announce('notice-dismiss', this.notice);
}
