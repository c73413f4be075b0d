/** How the data table looks. Its row height must equal the one its window is counted in. */
import type { CSSResult } from 'lit';
import { css } from 'lit';

/** Styles of `<vivarium-data-table>`. */
export const tableStyles: CSSResult = css`
  .scroller {
    max-height: var(--vivarium-table-height, 24rem);
    overflow: auto;
    overflow-anchor: none;
    border: 1px solid var(--vivarium-line);
    border-radius: var(--vivarium-radius-s);
    background: var(--vivarium-surface);
  }
  table {
    width: 100%;
    border-collapse: separate;
    border-spacing: 0;
    font-size: var(--vivarium-text-s);
    font-variant-numeric: tabular-nums;
  }
  thead th {
    position: sticky;
    top: 0;
    z-index: 2;
    background: var(--vivarium-inset);
    font-weight: 600;
    vertical-align: bottom;
  }
  th,
  td {
    height: 34px;
    max-width: 18rem;
    padding: 0 var(--vivarium-space-3);
    overflow: hidden;
    border-bottom: 1px solid var(--vivarium-line);
    text-align: left;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  th.number,
  td.number {
    text-align: right;
  }
  .kind {
    display: block;
    color: var(--vivarium-muted);
    font-size: var(--vivarium-text-xs);
    font-weight: 400;
    line-height: 1.2;
  }
  thead th {
    padding-block: var(--vivarium-space-2);
  }
  .index {
    width: 1%;
    color: var(--vivarium-muted);
    font-weight: 400;
    text-align: right;
  }
  td:focus-visible {
    outline-offset: -2px;
  }
  td.edited {
    background: var(--vivarium-warn-soft);
    box-shadow: inset 2px 0 var(--vivarium-warn);
  }
  td input:not([type='checkbox']) {
    width: 100%;
    min-width: 6rem;
    min-height: 0;
    height: 28px;
    padding: 0 var(--vivarium-space-1);
    text-align: inherit;
  }
  .spacer td {
    height: auto;
    padding: 0;
    border: 0;
  }
  .empty {
    color: var(--vivarium-muted);
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    gap: var(--vivarium-space-1) var(--vivarium-space-4);
    justify-content: space-between;
    margin-top: var(--vivarium-space-2);
    color: var(--vivarium-muted);
    font-size: var(--vivarium-text-s);
  }
  .refusal {
    color: var(--vivarium-danger);
    font-size: var(--vivarium-text-s);
  }
`;
