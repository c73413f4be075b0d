/** The supervision tree, live: who watches whom, how they are, what was restarted and why, and how many restarts are left. */
import type { CSSResultGroup, PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import { html, nothing, svg } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { repeat } from 'lit/directives/repeat.js';
import { shownTime } from './shown-time.ts';
import { supervisionNews } from './supervision-news.ts';
import { shownRestarts, visibleRows } from './supervision-node.ts';
import type { TreeNode, TreeRow } from './supervision-node.ts';
import { supervisionTreeStyles } from './supervision-tree-styles.ts';
import {
  budgetWords,
  dependencyWords,
  partWords,
  reasonWords,
  restartCountWords,
  strategyWords,
} from './supervision-words.ts';
import { controls, VivariumElement } from './vivarium-element.ts';

/** Rows drawn at most: thousands of modules would hold up the page that watches them. */
const maxRows = 500;

const chevron = svg`<svg viewBox="0 0 12 12"><path d="M4 2l5 4-5 4z" /></svg>`;

/**
 * `<vivarium-supervision-tree>`: an ARIA tree. Arrow keys walk, open and fold it, Enter and Space too, and a letter goes to the next name
 * that begins with it. New states and new restarts are announced. A supervisor's history is folded at first.
 */
export class VivariumSupervisionTree extends VivariumElement {
  static readonly tag: string = 'vivarium-supervision-tree';
  static override properties: PropertyDeclarations = {
    nodes: { attribute: false },
    focusedId: { state: true },
    toggled: { state: true },
    news: { state: true },
  };
  static override styles: CSSResultGroup = [controls, supervisionTreeStyles];

  declare nodes: readonly TreeNode[];
  declare focusedId: string | undefined;
  /** Rows that were opened or folded by hand. */
  declare toggled: ReadonlySet<string>;
  declare news: string;
  #rows: readonly TreeRow[] = [];
  /** How often there was news: the same words may be news twice. */
  #newsCount = 0;
  /** The place of the row that had the focus before the tree was drawn anew. */
  #focusAt = -1;

  constructor() {
    super();
    this.nodes = [];
    this.toggled = new Set();
    this.news = '';
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const focused = (this.renderRoot as ShadowRoot).activeElement?.getAttribute('data-id');
    this.#focusAt = this.#rows.findIndex(({ id }) => id === focused);
    const rows = visibleRows(this.nodes, this.toggled);
    if (this.#focusAt >= 0 && !rows.some(({ id }) => id === focused)) {
      // what had the focus is gone: the row in its place takes it
      this.focusedId = rows[Math.min(this.#focusAt, rows.length - 1)]?.id;
    }
    this.#rows = rows;
    const news = supervisionNews(changed.get('nodes') ?? [], this.nodes);
    if (news === '') return;
    this.news = news;
    this.#newsCount++;
  }

  override updated(): void {
    const { activeElement } = this.renderRoot as ShadowRoot;
    // a row that was moved has lost the focus, as has one that is gone
    if (this.#focusAt >= 0 && !activeElement) this.#focus(this.focusedId);
  }

  override render(): TemplateResult {
    const rows = this.#rows.slice(0, maxRows);
    const left = this.#rows.length - rows.length;
    const focusedId = rows.some(({ id }) => id === this.focusedId) ? this.focusedId : rows[0]?.id;
    return html`
      <div role="tree" aria-label="Supervision tree" @keydown=${this.#onKey}>
        ${repeat(
          rows,
          ({ id }) => id,
          (row) => this.#row(row, row.id === focusedId),
        )}
      </div>
      ${rows.length === 0 ? html`<p class="muted">Nothing is running yet.</p>` : nothing}
      ${left > 0 ? html`<p class="muted small">${left} more that are not drawn.</p>` : nothing}
      <p class="hidden" role="status">${keyed(this.#newsCount, html`<span>${this.news}</span>`)}</p>
    `;
  }

  #row(row: TreeRow, isFocused: boolean): TemplateResult {
    const { id, level, position, siblings, isExpanded } = row;
    const node = row.type === 'node' ? row.node : undefined;
    return html`<div
      class="row ${node ? `${node.kind} ${node.status}` : row.type}"
      role="treeitem"
      tabindex=${isFocused ? 0 : -1}
      aria-level=${level}
      aria-posinset=${position}
      aria-setsize=${siblings}
      aria-expanded=${isExpanded ?? nothing}
      data-id=${id}
      data-kind=${node?.kind ?? row.type}
      data-status=${node?.status ?? nothing}
      data-restarts=${node ? (node.restarts ?? 0) : nothing}
      style="--level: ${level - 1}"
      @focus=${() => (this.focusedId = id)}
      @click=${() => this.#toggle(row)}
    >
      <span class="fold" aria-hidden="true">${isExpanded === undefined ? nothing : chevron}</span>
      ${this.#content(row)}
    </div>`;
  }

  #content(row: TreeRow): TemplateResult {
    switch (row.type) {
      case 'node':
        return this.#node(row.node);
      case 'history': {
        const count = row.node.history?.length ?? 0;
        return html`<span class="name">Restart history <span class="muted">· ${count}</span></span>`;
      }
      case 'restart': {
        const { child, reason, atMs } = row.record;
        return html`<span class="what"><span class="name">${child}</span> ${reasonWords(reason)}</span>
          ${shownTime(atMs)}`;
      }
      case 'older':
        return html`<span>${row.count} before these ${shownRestarts}</span>`;
    }
  }

  #node(node: TreeNode): TemplateResult {
    return html`<span class="mark" aria-hidden="true"></span>
      <span><span class="name">${node.label}</span> <span class="kind">${node.kind}</span></span>
      <span class="status">${node.status}</span>
      ${this.#facts(node)}
      ${node.strategy ? html`<span class="fact">${strategyWords(node.strategy)}</span>` : nothing}
      ${this.#budget(node)} ${this.#crash(node)} ${this.#links(node)}`;
  }

  #facts(node: TreeNode): TemplateResult | typeof nothing {
    const facts = [
      node.detail,
      node.restarts === undefined ? undefined : restartCountWords(node.restarts),
      node.mailbox === undefined ? undefined : `mailbox ${node.mailbox}`,
      node.worker === undefined ? undefined : `in ${node.worker}`,
    ].filter((fact) => fact !== undefined);
    return facts.length === 0 ? nothing : html`<span class="fact">${facts.join(' · ')}</span>`;
  }

  #budget({ budget }: TreeNode): TemplateResult | typeof nothing {
    if (!budget) return nothing;
    const { restartsLeft, maxRestarts } = budget;
    const low = Math.min(1, maxRestarts) + 0.5;
    // the words say it all: read aloud, the meter would say it twice
    const meter = html`<meter
      aria-hidden="true"
      min="0"
      .max=${maxRestarts}
      .low=${low}
      .optimum=${maxRestarts}
      .value=${restartsLeft}
    ></meter>`;
    return html`<span class="fact budget ${restartsLeft === 0 ? 'spent' : ''}" data-left=${restartsLeft}>
      ${maxRestarts > 0 ? meter : nothing}<span>${budgetWords(budget)}</span>
    </span>`;
  }

  #crash({ crash, status }: TreeNode): TemplateResult | typeof nothing {
    if (!crash) return nothing;
    const isDown = status === 'crashed' || status === 'restarting';
    return html`<span class="fact crash"
        >${isDown ? 'Ended' : 'Ended last'}: ${reasonWords(crash.reason)}</span
      >
      <span class="fact">${shownTime(crash.atMs)} · ${crash.message} · <code>${crash.code}</code></span>`;
  }

  #links({ parts = [], dependencies = [] }: TreeNode): readonly TemplateResult[] {
    return [
      ...(parts.length > 0 ? [`Sub-modules: ${parts.map(partWords).join(', ')}`] : []),
      ...(dependencies.length > 0 ? [`Depends on ${dependencies.map(dependencyWords).join(', ')}`] : []),
    ].map((words) => html`<span class="fact">${words}</span> `);
  }

  #toggle({ id, isExpanded }: TreeRow): void {
    if (isExpanded === undefined) return;
    const toggled = new Set(this.toggled);
    if (!toggled.delete(id)) toggled.add(id);
    this.toggled = toggled;
  }

  #focus(id: string | undefined): void {
    const rows = [...this.renderRoot.querySelectorAll<HTMLElement>('[role=treeitem]')];
    rows.find((row) => row.dataset['id'] === id)?.focus();
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const id = event.target instanceof HTMLElement ? event.target.dataset['id'] : undefined;
    const rows = this.#rows.slice(0, maxRows);
    const at = rows.findIndex((row) => row.id === id);
    const row = rows[at];
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = this.#goal(event.key, rows, at);
    const isToggle = togglesAt(event.key, row.isExpanded);
    if (target === undefined && !isToggle) return;
    event.preventDefault();
    if (isToggle) this.#toggle(row);
    else this.#focus(target);
  };

  /** The row that a key leads to. */
  #goal(key: string, rows: readonly TreeRow[], at: number): string | undefined {
    const clamp = (index: number): string | undefined =>
      rows[Math.min(Math.max(index, 0), rows.length - 1)]?.id;
    switch (key) {
      case 'ArrowDown':
        return clamp(at + 1);
      case 'ArrowUp':
        return clamp(at - 1);
      case 'Home':
        return clamp(0);
      case 'End':
        return clamp(rows.length - 1);
      case 'ArrowRight':
        return rows[at]?.isExpanded ? clamp(at + 1) : undefined;
      case 'ArrowLeft':
        return rows[at]?.parent;
      default:
        return key.length === 1 && key !== ' ' ? nextNamed(rows, at, key) : undefined;
    }
  }
}

/** Whether a key opens or folds a row instead of leading elsewhere. */
function togglesAt(key: string, isExpanded: boolean | undefined): boolean {
  if (isExpanded === undefined) return false;
  if (key === 'Enter' || key === ' ') return true;
  return key === (isExpanded ? 'ArrowLeft' : 'ArrowRight');
}

function nameOf(row: TreeRow): string {
  if (row.type === 'node') return row.node.label;
  if (row.type === 'restart') return row.record.child;
  return row.type === 'history' ? 'restart history' : '';
}

/** The next row whose name begins with the letter, from the first again after the last. */
function nextNamed(rows: readonly TreeRow[], at: number, letter: string): string | undefined {
  const wanted = letter.toLowerCase();
  const others = [...rows.slice(at + 1), ...rows.slice(0, at)];
  return others.find((row) => nameOf(row).toLowerCase().startsWith(wanted))?.id;
}
