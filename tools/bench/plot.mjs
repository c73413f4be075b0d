// Curves of a bench: as a table to read, and as a file to look at.

/**
 * @typedef {{ name: string, title: string, x: string, y: string, points: readonly { series: string, x: number, y: number }[] }} BenchPlot
 */

/** @param {number} value */
const short = (value) => value.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: false });

/** A column for each series, a line for each x. @param {BenchPlot} plot */
export function toPlotTable({ title, x, y, points }) {
  const series = [...new Set(points.map((point) => point.series))];
  const places = [...new Set(points.map((point) => point.x))].toSorted((one, other) => one - other);
  const cellOf = (/** @type {string} */ name, /** @type {number} */ place) => {
    const point = points.find((each) => each.series === name && each.x === place);
    return point ? short(point.y) : '–';
  };
  const lines = [
    [x, ...series],
    ...places.map((place) => [String(place), ...series.map((name) => cellOf(name, place))]),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const rows = lines.map((cells) => cells.map((cell, at) => cell.padStart(widths?.[at] ?? 0)).join('  '));
  return [`${title} (${y})`, ...rows].join('\n');
}

/** Beside the rows. @param {string} json the file of the rows @param {BenchPlot} plot */
export function plotFileOf(json, { name }) {
  return `${json.replace(/\.json$/u, '')}-${name}.svg`;
}
