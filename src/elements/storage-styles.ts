/** How `<vivarium-storage>` looks. */
import type { CSSResult } from 'lit';
import { css } from 'lit';

export const storageStyles: CSSResult = css`
  .all,
  section,
  form {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--vivarium-space-3);
  }
  .all {
    gap: var(--vivarium-space-5);
  }
  h3 {
    font-size: var(--vivarium-text-m);
  }
  meter {
    width: 100%;
    height: 0.75rem;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: var(--vivarium-space-2);
    align-items: center;
  }
  .row input:not(.hidden) {
    flex: 1 1 11rem;
    width: auto;
    min-width: 0;
  }
  /* the fields inside it have the focus, and it the mark */
  #time:focus-within {
    outline: 2px solid var(--vivarium-focus);
    outline-offset: 2px;
  }
  .button {
    display: inline-flex;
    align-items: center;
  }
  .snapshots {
    display: grid;
    gap: var(--vivarium-space-3);
    max-height: 22rem;
    overflow: auto;
  }
  .snapshots li {
    display: grid;
    gap: var(--vivarium-space-1);
    padding-bottom: var(--vivarium-space-3);
    border-bottom: 1px solid var(--vivarium-line);
    overflow-wrap: anywhere;
  }
  .snapshots button {
    min-height: 2rem;
    padding: 0 var(--vivarium-space-3);
  }
  .preview {
    padding: var(--vivarium-space-4);
    border: 1px solid var(--vivarium-line-strong);
    border-radius: var(--vivarium-radius-m);
    background: var(--vivarium-inset);
  }
  .changes {
    max-height: 18rem;
    overflow: auto;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: var(--vivarium-text-s);
  }
  th,
  td {
    padding: var(--vivarium-space-1) var(--vivarium-space-2) var(--vivarium-space-1) 0;
    border-bottom: 1px solid var(--vivarium-line);
    text-align: left;
    vertical-align: top;
  }
  td,
  tbody th {
    overflow-wrap: anywhere;
  }
  .news {
    color: var(--vivarium-muted);
    font-size: var(--vivarium-text-s);
  }
  .news:empty {
    display: none;
  }
`;
