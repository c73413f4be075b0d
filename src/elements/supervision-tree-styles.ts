/** How the supervision tree looks. */
import type { CSSResult } from 'lit';
import { css } from 'lit';

/** Rules of `<vivarium-supervision-tree>`. `--level` is the depth of a row, `--tone` the colour of its state. */
export const supervisionTreeStyles: CSSResult = css`
  :host {
    container-type: inline-size;
  }
  [role='tree'] {
    --indent: 1.25rem;
    display: grid;
    gap: 2px;
  }
  .row {
    --tone: var(--vivarium-muted);
    display: grid;
    grid-template-columns: 0.75rem 0.75rem minmax(0, 1fr) auto;
    gap: 0 var(--vivarium-space-2);
    align-items: center;
    margin-inline-start: calc(min(var(--level), 8) * var(--indent));
    padding: var(--vivarium-space-2) var(--vivarium-space-3) var(--vivarium-space-2) var(--vivarium-space-1);
    border-radius: var(--vivarium-radius-s);
    scroll-margin-block: 6rem;
  }
  .row[aria-expanded] {
    cursor: pointer;
  }
  .row[aria-expanded]:hover {
    background: var(--vivarium-inset);
  }
  .row:focus-visible {
    outline-offset: -2px;
  }
  .fold {
    color: var(--vivarium-muted);
    transition: transform var(--vivarium-quick);
  }
  .fold svg {
    display: block;
    width: 0.75rem;
    height: 0.75rem;
    fill: currentcolor;
  }
  [aria-expanded='true'] > .fold {
    transform: rotate(90deg);
  }
  .mark {
    width: 0.65rem;
    height: 0.65rem;
    border-radius: 50%;
    background: var(--tone);
  }
  .supervisor > .mark {
    border-radius: 2px;
  }
  .worker > .mark {
    border-radius: 2px;
    transform: rotate(45deg) scale(0.85);
  }
  .running {
    --tone: var(--vivarium-ok);
  }
  .starting,
  .restarting,
  .degraded {
    --tone: var(--vivarium-warn);
    background: var(--vivarium-warn-soft);
  }
  .crashed {
    --tone: var(--vivarium-danger);
    background: var(--vivarium-danger-soft);
  }
  .name {
    font-weight: 550;
    overflow-wrap: anywhere;
  }
  .kind,
  .fact,
  .restart,
  .older,
  .history {
    color: var(--vivarium-muted);
    font-size: var(--vivarium-text-s);
  }
  .fact {
    grid-column: 3 / -1;
    overflow-wrap: anywhere;
    font-variant-numeric: tabular-nums;
  }
  .status {
    color: var(--tone);
    font-size: var(--vivarium-text-s);
    font-weight: 550;
  }
  .crash {
    color: var(--vivarium-text);
  }
  .budget {
    color: var(--vivarium-text);
  }
  .budget.spent {
    color: var(--vivarium-danger);
  }
  meter {
    width: 3rem;
    height: 0.6rem;
    margin-inline-end: var(--vivarium-space-1);
    vertical-align: middle;
  }
  meter::-webkit-meter-bar {
    height: 0.6rem;
    border: 1px solid var(--vivarium-line-strong);
    border-radius: 0.3rem;
    background: var(--vivarium-inset);
  }
  meter::-webkit-meter-optimum-value {
    background: var(--vivarium-ok);
  }
  meter::-webkit-meter-suboptimum-value {
    background: var(--vivarium-warn);
  }
  .history,
  .restart,
  .older {
    grid-template-columns: 0.75rem minmax(0, 1fr) auto;
    padding-block: var(--vivarium-space-1);
  }
  .older > :first-child,
  .restart > .what {
    grid-column: 2;
    overflow-wrap: anywhere;
  }
  .history > .name {
    grid-column: 2 / -1;
    font-weight: 500;
  }
  .restart .name {
    color: var(--vivarium-text);
  }
  time {
    font-variant-numeric: tabular-nums;
  }
  @container (max-width: 26rem) {
    [role='tree'] {
      --indent: 0.75rem;
    }
    .row {
      margin-inline-start: calc(min(var(--level), 6) * var(--indent));
    }
    .restart > time {
      grid-column: 2;
    }
  }
`;
