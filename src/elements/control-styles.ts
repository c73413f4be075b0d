/**
 * Reset and controls in the words of the tokens, said once: every element has them in its shadow root, and a page that
 * wants to look like the elements adopts them.
 */
import type { CSSResult } from 'lit';
import { css } from 'lit';

/** Rules for the inside of an element and for a page alike. `.button` is for a label that looks like a button. */
export const sharedControls: CSSResult = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  h4,
  p,
  ul,
  ol,
  dl,
  dd,
  figure {
    margin: 0;
    padding: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  code,
  pre,
  .mono {
    font-family: var(--vivarium-mono);
    font-size: var(--vivarium-text-s);
  }
  .muted {
    color: var(--vivarium-muted);
  }
  .small {
    font-size: var(--vivarium-text-s);
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }
  button,
  .button {
    min-height: var(--vivarium-control);
    padding: 0 var(--vivarium-space-4);
    border: 1px solid var(--vivarium-line-strong);
    border-radius: var(--vivarium-radius-s);
    background: var(--vivarium-surface);
    font-weight: 550;
    cursor: pointer;
    transition:
      background var(--vivarium-quick),
      border-color var(--vivarium-quick);
  }
  button:hover:not(:disabled),
  .button:hover {
    border-color: var(--vivarium-accent);
    background: var(--vivarium-accent-soft);
  }
  button.primary {
    border-color: var(--vivarium-accent);
    background: var(--vivarium-accent);
    color: var(--vivarium-on-accent);
  }
  button.primary:hover:not(:disabled) {
    border-color: var(--vivarium-accent-strong);
    background: var(--vivarium-accent-strong);
  }
  button.danger {
    border-color: var(--vivarium-danger);
    color: var(--vivarium-danger);
  }
  button.danger:hover:not(:disabled) {
    background: var(--vivarium-danger-soft);
  }
  button.quiet {
    border-color: transparent;
    background: transparent;
  }
  button:disabled {
    opacity: 0.5;
    cursor: not-allowed;
  }
  input:not([type='checkbox'], [type='radio'], [type='file']),
  select,
  textarea {
    width: 100%;
    min-height: var(--vivarium-control);
    padding: var(--vivarium-space-2) var(--vivarium-space-3);
    border: 1px solid var(--vivarium-line-strong);
    border-radius: var(--vivarium-radius-s);
    background: var(--vivarium-surface);
  }
  input[aria-invalid='true'] {
    border-color: var(--vivarium-danger);
  }
  input[type='checkbox'],
  input[type='radio'] {
    width: 1.05rem;
    height: 1.05rem;
    margin: 0;
    accent-color: var(--vivarium-accent);
  }
  label {
    font-weight: 550;
  }
  summary {
    cursor: pointer;
  }
  :focus-visible,
  .button:focus-within {
    outline: 2px solid var(--vivarium-focus);
    outline-offset: 2px;
  }
`;

const adopted = new WeakSet<Document>();

/** Gives the document {@link sharedControls}, once. They come after the page's own rules of the same weight. */
export function adoptControls(target: Document = document): void {
  const sheet = sharedControls.styleSheet;
  if (!sheet || adopted.has(target)) return;
  adopted.add(target);
  target.adoptedStyleSheets = [...target.adoptedStyleSheets, sheet];
}
