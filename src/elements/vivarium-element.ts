/** What every element shares: the tokens, controls that look the same, and typed events. */
import type { CSSResultGroup } from 'lit';
import { css, LitElement } from 'lit';
import { sharedControls } from './control-styles.ts';
import { adoptTokens } from './tokens.ts';

/** What every element starts from: itself, and the controls. */
export const controls: CSSResultGroup = [
  css`
    :host {
      display: block;
      color: var(--vivarium-text);
      font: var(--vivarium-text-m) / var(--vivarium-leading) var(--vivarium-font);
    }
    :host([hidden]) {
      display: none;
    }
  `,
  sharedControls,
];

/** Base of the elements. It adopts the tokens where it is connected. */
export class VivariumElement extends LitElement {
  override connectedCallback(): void {
    super.connectedCallback();
    adoptTokens(this.ownerDocument);
  }

  /** Dispatches `type` with its detail; it bubbles out of shadow roots. */
  protected announce<T>(type: string, detail: T): void {
    this.dispatchEvent(new CustomEvent<T>(type, { detail, bubbles: true, composed: true }));
  }
}
