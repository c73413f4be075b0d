/** A correlation matrix as a grid of tinted cells with its numbers written in. */
import * as Plot from '@observablehq/plot';
import type { CSSResultGroup, PropertyDeclarations, TemplateResult } from 'lit';
import { css, html } from 'lit';
import { controls } from './vivarium-element.ts';
import { WidthElement } from './width-element.ts';

/** Width of a letter of the labels, in CSS pixels, on the safe side. */
const letterWidth = 7;
const lineHeight = 14;

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
export class VivariumCorrelationPlot extends WidthElement {
  static readonly tag: string = 'vivarium-correlation-plot';
  static override properties: PropertyDeclarations = {
    ...WidthElement.properties,
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
      <div class="hidden">
        <table data-part="matrix">
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
      </div>
    </figure>`;
  }

  #draw(): Element {
    const { labels, matrix } = this;
    const tiles: Tile[] = matrix.flatMap((row, at) =>
      row.map((value, index) => ({ row: labels[at] ?? '', column: labels[index] ?? '', value })),
    );
    const names = labelSpace(labels, this.width);
    const width = Math.min(this.width, names + 112 * labels.length);
    const tile = (width - names) / labels.length;
    const wrapColumn = wrapLabel(tile);
    const lines = Math.max(...labels.map((label) => wrapColumn(label).split('\n').length));
    const top = 14 + lines * lineHeight;
    return Plot.plot({
      width,
      height: top + 4 + Math.max(36, Math.min(64, tile * 0.75)) * labels.length,
      marginLeft: names,
      marginTop: top,
      marginBottom: 4,
      marginRight: 0,
      padding: 0.04,
      style: {
        background: 'transparent',
        color: 'var(--vivarium-text)',
        fontSize: this.width < 480 ? '11px' : '12.5px',
      },
      color: { type: 'identity' },
      x: { axis: 'top', label: null, domain: [...labels], tickSize: 0, tickFormat: wrapColumn },
      y: { label: null, domain: [...labels], tickSize: 0, tickFormat: wrapLabel(names - 16) },
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

/** Room for the row names: as much as the longest needs, but never more than a third. */
function labelSpace(labels: readonly string[], width: number): number {
  const longest = Math.max(...labels.map((label) => label.length));
  return Math.min(longest * letterWidth + 16, width / 3.2);
}

/** Breaks at underscores and spaces where one line does not fit, into as few lines as will do, of even length. */
function wrapLabel(space: number): (label: string) => string {
  const most = Math.max(4, Math.floor(space / letterWidth));
  return (label) => {
    const pieces = label.split(/(?<=[_ ])/u);
    let best = fill(pieces, most);
    for (let length = most - 1; length > 0; length--) {
      const narrower = fill(pieces, length);
      if (narrower.length > best.length) break;
      best = narrower;
    }
    return best.join('\n');
  };
}

function fill(pieces: readonly string[], length: number): readonly string[] {
  const lines: string[] = [];
  for (const piece of pieces) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + piece.length <= length) lines[lines.length - 1] = last + piece;
    else lines.push(piece);
  }
  return lines;
}
