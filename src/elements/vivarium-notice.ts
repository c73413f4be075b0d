/** A typed error, said plainly: what happened, what to do next, and the code to look it up by. */
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { sleep, systemClock } from '../platform/index.ts';
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

/** How long a live region stands empty before its first words: one that comes with words is announced by few readers. */
const regionLeadMs = 100;

/**
 * `<vivarium-notice>`: an error is announced at once, the other levels politely. Both live regions are there while there
 * is no notice, so an element that stays announces each notice it is given; a new one takes its regions ahead of its
 * words. Fires `notice-dismiss`, and `notice-action` when its `action` is pressed.
 */
export class VivariumNotice extends VivariumElement {
  static readonly tag: string = 'vivarium-notice';
  static override properties: PropertyDeclarations = {
    notice: { attribute: false },
    level: { reflect: true },
    isDismissible: { type: Boolean, attribute: 'dismissible' },
    isQuiet: { type: Boolean, attribute: 'quiet' },
    action: {},
    isOpen: { state: true },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      /* empty live regions must exist, and must take no place */
      :host(:not([open])) {
        position: absolute;
      }
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
      .action,
      .facts {
        grid-column: 1 / -1;
      }
      .code {
        color: var(--tone);
      }
      .dismiss {
        min-height: 2rem;
        padding: 0 var(--vivarium-space-2);
        align-self: start;
      }
      .action {
        justify-self: start;
        margin-top: var(--vivarium-space-1);
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
  /** Shows without announcing: for what the reader already knows, such as a failure of an earlier visit. */
  declare isQuiet: boolean;
  /** Label of a button under the message. */
  declare action: string | undefined;
  /** The live regions stand, so words may come. */
  declare isOpen: boolean;
  #opening: Promise<void> | undefined;

  constructor() {
    super();
    this.level = 'error';
    this.isDismissible = false;
    this.isQuiet = false;
    this.isOpen = false;
  }

  override render(): TemplateResult {
    if (this.isQuiet) return html`${this.#box()}`;
    const box = this.isOpen ? this.#box() : nothing;
    const isAlert = this.level === 'error';
    return html`<div role="alert">${isAlert ? box : nothing}</div>
      <div role="status">${isAlert ? nothing : box}</div>`;
  }

  override updated(): void {
    this.toggleAttribute('open', this.notice !== undefined && (this.isQuiet || this.isOpen));
  }

  override firstUpdated(): void {
    this.#opening = sleep(systemClock, regionLeadMs).then(() => {
      this.isOpen = true;
    });
  }

  /** Resolves when the words are there, too. */
  protected override async getUpdateComplete(): Promise<boolean> {
    await super.getUpdateComplete();
    await this.#opening;
    return super.getUpdateComplete();
  }

  #box(): TemplateResult | typeof nothing {
    return this.notice ? html`<div class="box ${this.level}">${this.#body(this.notice)}</div>` : nothing;
  }

  #body(notice: Notice): TemplateResult {
    const { code, next, fields } = notice;
    return html`
      <p class="message"><span class="hidden">${words[this.level]}: </span>${notice.message}</p>
      ${
        this.isDismissible
          ? html`<button class="quiet dismiss" type="button" aria-label="Dismiss" @click=${this.#dismiss}>
              ✕
            </button>`
          : nothing
      }
      ${next ? html`<p class="next">${next}</p>` : nothing}
      ${
        this.action
          ? html`<button class="action" type="button" @click=${this.#act}>${this.action}</button>`
          : nothing
      }
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

  readonly #act = (): void => this.announce('notice-action', this.notice);

  readonly #dismiss = (): void => this.announce('notice-dismiss', this.notice);
}
