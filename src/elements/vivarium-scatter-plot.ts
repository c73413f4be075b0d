/** Two numeric columns against each other, tinted by a third, with the least-squares line of each group. */
import * as Plot from '@observablehq/plot';
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit';
import { css, html, nothing } from 'lit';
import { controls } from './vivarium-element.ts';
import { WidthElement } from './width-element.ts';

export interface ScatterPoint {
  readonly x: number;
  readonly y: number;
  readonly group: string | null;
}

/** Groups that get a colour of their own; the rest share a grey. */
const colouredGroups = 6;
/** Points drawn at most: beyond it every n-th is drawn, and the caption says so. */
const drawnPoints = 4_000;

const symbols = ['circle', 'triangle', 'square', 'diamond', 'star', 'wye'] as const;

/** `<vivarium-scatter-plot>`: points, axis labels, and a legend that does not rely on colour alone. */
export class VivariumScatterPlot extends WidthElement {
  static readonly tag: string = 'vivarium-scatter-plot';
  static override properties: PropertyDeclarations = {
    ...WidthElement.properties,
    points: { attribute: false },
    xLabel: { attribute: 'x-label' },
    yLabel: { attribute: 'y-label' },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      svg {
        max-width: 100%;
        height: auto;
      }
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: var(--vivarium-space-1) var(--vivarium-space-4);
        margin-bottom: var(--vivarium-space-2);
        font-size: var(--vivarium-text-s);
      }
      .legend li {
        display: flex;
        gap: var(--vivarium-space-2);
        align-items: center;
      }
      figcaption {
        color: var(--vivarium-muted);
        font-size: var(--vivarium-text-s);
      }
    `,
  ];

  declare points: readonly ScatterPoint[];
  declare xLabel: string;
  declare yLabel: string;

  constructor() {
    super();
    this.points = [];
    this.xLabel = 'x';
    this.yLabel = 'y';
  }

  override render(): TemplateResult {
    const { points } = this;
    if (points.length === 0) return html`<p class="muted">No rows have both numbers.</p>`;
    const step = Math.ceil(points.length / drawnPoints);
    const drawn = points.filter((_, index) => index % step === 0);
    const groups = [...new Set(points.map(({ group }) => group).filter((group) => group !== null))].slice(
      0,
      colouredGroups,
    );
    return html`<figure>
      ${
        groups.length > 1
          ? html`<ul class="legend" aria-hidden="true">
              ${groups.map(legend)}
            </ul>`
          : nothing
      }
      <div
        role="img"
        aria-label="Scatter plot of ${this.yLabel} against ${this.xLabel}, ${points.length} rows"
      >
        ${this.#draw(drawn, groups)}
      </div>
      ${step > 1 ? html`<figcaption>Every ${step}th of ${points.length.toLocaleString()} rows is drawn.</figcaption>` : nothing}
    </figure>`;
  }

  #draw(drawn: readonly ScatterPoint[], groups: readonly string[]): Element {
    const colour = (point: ScatterPoint): string => hue(groups.indexOf(point.group ?? ''));
    return Plot.plot({
      width: Math.min(this.width, 760),
      height: Math.max(240, Math.min(420, this.width * 0.68)),
      marginLeft: 56,
      marginBottom: 42,
      inset: 8,
      grid: true,
      style: { background: 'transparent', color: 'var(--vivarium-muted)', fontSize: '12px' },
      color: { type: 'identity' },
      symbol: { domain: [...groups, ''], range: [...symbols.slice(0, groups.length), 'circle'] },
      x: { label: this.xLabel, labelAnchor: 'center', tickSize: 0, labelArrow: 'none' },
      y: { label: this.yLabel, tickSize: 0, labelArrow: 'none' },
      marks: [
        Plot.dot([...drawn], {
          x: 'x',
          y: 'y',
          r: 3.2,
          stroke: colour,
          fill: colour,
          fillOpacity: 0.25,
          symbol: (point: ScatterPoint) => (groups.includes(point.group ?? '') ? point.group : ''),
        }),
        Plot.linearRegressionY([...drawn], {
          x: 'x',
          y: 'y',
          z: 'group',
          stroke: colour,
          strokeWidth: 1.75,
          fillOpacity: 0.08,
        }),
      ],
    });
  }
}

function hue(index: number): string {
  return index < 0 ? 'var(--vivarium-muted)' : `var(--vivarium-category-${index + 1})`;
}

const glyphs = ['●', '▲', '■', '◆', '★', '✚'];

function legend(group: string, index: number): TemplateResult {
  return html`<li><span style="color: ${hue(index)}">${glyphs[index]}</span>${group}</li>`;
}
