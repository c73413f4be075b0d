/** A correlation matrix as a grid of tinted cells with its numbers written in. */
import * as Plot from '@observablehq/plot';
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit';
import { css, html } from 'lit';
import { controls, VivariumElement } from './vivarium-element.ts';

interface Tile {
  readonly row: string;
  readonly column: string;
  readonly value: number;
}

/** Blue for positive, orange for negative, paler towards zero; the tokens choose the hues of the theme. */
function tint(value: number): string {
  if (!Number.isFinite(value)) return 'var(--vivarium-inset)';
  const hue = value >= 0 ? 'positive' : 'negative';
  const share = Math.round(Math.min(1, Math.abs(value)) * 55);
  return `color-mix(in oklab, var(--vivarium-${hue}) ${share}%, var(--vivarium-surface))`;
}

const show = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : '–');

/** `<vivarium-correlation-plot>`: labels and a square matrix of Pearson's r; the numbers are also a table for readers. */
export class VivariumCorrelationPlot extends VivariumElement {
  static readonly tag: string = 'vivarium-correlation-plot';
  static override properties: PropertyDeclarations = {
    labels: { attribute: false },
    matrix: { attribute: false },
  };
  static override styles: CSSResultGroup = [
    controls,
    css`
      svg {
        max-width: 100%;
        height: auto;
        overflow: visible;
      }
    `,
  ];

  declare labels: readonly string[];
  declare matrix: readonly (readonly number[])[];

  constructor() {
    super();
    this.labels = [];
    this.matrix = [];
  }

  override render(): TemplateResult {
    const { labels, matrix } = this;
    if (labels.length < 2)
      return html`<p class="muted">Two numeric columns are needed for a correlation.</p>`;
    return html`<figure>
      <div aria-hidden="true">${this.#draw()}</div>
      <table class="hidden" data-part="matrix">
        <caption>
          Correlation matrix, Pearson
        </caption>
        <tr>
          <td></td>
          ${labels.map((label) => html`<th scope="col">${label}</th>`)}
        </tr>
        ${matrix.map(
          (row, index) =>
            html`<tr>
              <th scope="row">${labels[index]}</th>
              ${row.map((value) => html`<td>${show(value)}</td>`)}
            </tr>`,
        )}
      </table>
    </figure>`;
  }

  #draw(): Element {
    const { labels, matrix } = this;
    const tiles: Tile[] = matrix.flatMap((row, at) =>
      row.map((value, index) => ({ row: labels[at] ?? '', column: labels[index] ?? '', value })),
    );
    const size = Math.max(64, Math.min(110, 460 / labels.length));
    return Plot.plot({
      width: 150 + size * labels.length,
      height: 54 + size * 0.62 * labels.length,
      marginLeft: 150,
      marginTop: 44,
      marginBottom: 10,
      marginRight: 0,
      padding: 0.04,
      style: { background: 'transparent', color: 'var(--vivarium-text)', fontSize: '12.5px' },
      color: { type: 'identity' },
      x: { axis: 'top', label: null, domain: [...labels], tickSize: 0, tickFormat: wrapLabel },
      y: { label: null, domain: [...labels], tickSize: 0 },
      marks: [
        Plot.cell(tiles, { x: 'column', y: 'row', fill: (tile: Tile) => tint(tile.value), rx: 4 }),
        Plot.text(tiles, {
          x: 'column',
          y: 'row',
          text: (tile: Tile) => show(tile.value),
          fill: 'var(--vivarium-text)',
          fontVariant: 'tabular-nums',
        }),
      ],
    });
  }
}

/** Two lines at an underscore near the middle keep long column names apart. */
function wrapLabel(label: string): string {
  if (label.length < 12) return label;
  const cuts = [...label.matchAll(/[_ ]/gu)].map((match) => match.index);
  const middle = label.length / 2;
  const cut = cuts.toSorted((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
  return cut === undefined ? label : `${label.slice(0, cut + 1)}\n${label.slice(cut + 1)}`;
}
