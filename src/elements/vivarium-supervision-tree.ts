/** The supervision tree, live: who watches whom, how they are, and how many restarts are left. */
import type { CSSResultGroup, PropertyDeclarations, PropertyValues, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { controls, VivariumElement } from './vivarium-element.ts';

/** The states of a module, in OTP's order of life. */
export type TreeStatus = 'starting' | 'running' | 'degraded' | 'restarting' | 'crashed' | 'stopped';

export interface TreeNode {
  /** Unique in the tree. */
  readonly id: string;
  readonly label: string;
  readonly kind: 'supervisor' | 'worker' | 'module' | 'service';
  readonly status: TreeStatus;
  /** One short line: why it is in this state, or where it runs. */
  readonly detail?: string;
  /** Restarts since it was first started. */
  readonly restarts?: number;
  /** Restarts its supervisor still allows within its window. */
  readonly restartsLeft?: number;
  /** Calls that have not ended: those it works on and those that wait. */
  readonly mailbox?: number;
  readonly children?: readonly TreeNode[];
}

interface FlatNode {
  readonly node: TreeNode;
  readonly level: number;
  readonly position: number;
  readonly siblings: number;
}

function flatten(nodes: readonly TreeNode[], level: number = 1): FlatNode[] {
  return nodes.flatMap((node, index) => [
    { node, level, position: index + 1, siblings: nodes.length },
    ...flatten(node.children ?? [], level + 1),
  ]);
}

/** `<vivarium-supervision-tree>`: an ARIA tree; arrow keys walk it, changes of status are announced. */
export class VivariumSupervisionTree extends VivariumElement {
  static readonly tag: string = 'vivarium-supervision-tree';
  static override properties: PropertyDeclarations = {
    nodes: { attribute: false },
    focusedId: { state: true },
    news: { state: true },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      .node {
        display: grid;
        grid-template-columns: auto 1fr auto;
        gap: 0 var(--vivarium-space-3);
        align-items: center;
        padding: var(--vivarium-space-2) var(--vivarium-space-3);
        border-radius: var(--vivarium-radius-s);
      }
      .node + .node {
        margin-top: 2px;
      }
      .branch {
        border-left: 1px solid var(--vivarium-line-strong);
      }
      .mark {
        width: 0.65rem;
        height: 0.65rem;
        border-radius: 50%;
        background: var(--tone);
      }
      .supervisor .mark {
        border-radius: 2px;
      }
      .worker .mark {
        border-radius: 2px;
        transform: rotate(45deg);
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
      .stopped {
        --tone: var(--vivarium-muted);
      }
      .name {
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .kind,
      .facts,
      .detail {
        color: var(--vivarium-muted);
        font-size: var(--vivarium-text-s);
      }
      .detail {
        grid-column: 2 / -1;
        overflow-wrap: anywhere;
      }
      .facts {
        font-variant-numeric: tabular-nums;
        text-align: right;
      }
      .status {
        color: var(--tone);
        font-weight: 550;
      }
    `,
  ];

  declare nodes: readonly TreeNode[];
  declare focusedId: string | undefined;
  declare news: string;

  constructor() {
    super();
    this.nodes = [];
    this.news = '';
  }

  override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get('nodes');
    if (!before || before.length === 0) return;
    const known = new Map(flatten(before).map(({ node }) => [node.id, node.status]));
    const changes = flatten(this.nodes)
      .filter(({ node }) => known.get(node.id) !== node.status)
      .map(({ node }) => `${node.label}: ${node.status}`);
    if (changes.length > 0) this.news = changes.join(', ');
  }

  override render(): TemplateResult {
    const flat = flatten(this.nodes);
    const focusedId = flat.some(({ node }) => node.id === this.focusedId) ? this.focusedId : flat[0]?.node.id;
    return html`
      <div role="tree" aria-label="Supervision tree" @keydown=${this.#walk}>
        ${flat.map((item) => this.#row(item, item.node.id === focusedId))}
      </div>
      ${flat.length === 0 ? html`<p class="muted">Nothing is running yet.</p>` : nothing}
      <p class="hidden" role="status">${this.news}</p>
    `;
  }

  #row({ node, level, position, siblings }: FlatNode, isFocused: boolean): TemplateResult {
    return html`<div
      class="node ${node.kind} ${node.status}"
      role="treeitem"
      tabindex=${isFocused ? 0 : -1}
      aria-level=${level}
      aria-posinset=${position}
      aria-setsize=${siblings}
      data-id=${node.id}
      data-kind=${node.kind}
      data-status=${node.status}
      data-restarts=${node.restarts ?? 0}
      style="margin-inline-start: ${(level - 1) * 1.25}rem"
      @focus=${() => (this.focusedId = node.id)}
    >
      <span class="mark" aria-hidden="true"></span>
      <span><span class="name">${node.label}</span> <span class="kind">${node.kind}</span></span>
      <span class="facts"><span class="status">${node.status}</span></span>
      ${this.#detail(node)}
    </div>`;
  }

  #detail(node: TreeNode): TemplateResult | typeof nothing {
    const facts = [
      node.detail,
      node.restarts === undefined
        ? undefined
        : `${node.restarts} ${node.restarts === 1 ? 'restart' : 'restarts'}`,
      node.restartsLeft === undefined ? undefined : `${node.restartsLeft} left`,
      node.mailbox === undefined ? undefined : `mailbox ${node.mailbox}`,
    ].filter((fact) => fact !== undefined);
    return facts.length === 0 ? nothing : html`<span class="detail">${facts.join(' · ')}</span>`;
  }

  readonly #walk = (event: KeyboardEvent): void => {
    const rows = [...this.renderRoot.querySelectorAll<HTMLElement>('[role=treeitem]')];
    const at = rows.findIndex((row) => row === event.target);
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    rows[Math.min(Math.max(target, 0), rows.length - 1)]?.focus();
  };
}
