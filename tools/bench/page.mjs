// The page in which one bench module runs; `virtual:bench` is the module that tools/bench.mjs chose.
import * as bench from 'virtual:bench';

/** @typedef {import('./plot.mjs').BenchPlot} BenchPlot */

/** @param {BenchPlot} plot @returns {Promise<string>} an SVG file */
async function draw({ title, x, y, points }) {
  const Plot = await import('@observablehq/plot');
  const svg = Plot.plot({
    title,
    width: 720,
    height: 480,
    marginLeft: 60,
    marginRight: 200,
    grid: true,
    x: { type: 'log', label: x },
    y: { type: 'log', label: y },
    color: { domain: [...new Set(points.map(({ series }) => series))] },
    marks: [
      Plot.lineY(points, { x: 'x', y: 'y', stroke: 'series', marker: 'dot' }),
      Plot.text(
        points,
        Plot.selectLast({
          x: 'x',
          y: 'y',
          z: 'series',
          text: 'series',
          fill: 'series',
          textAnchor: 'start',
          dx: 8,
        }),
      ),
    ],
  });
  const figure = svg.querySelector('svg') ?? svg;
  return new XMLSerializer().serializeToString(figure);
}

/**
 * @param {string} name the exported bench function
 * @param {{ sabotage: boolean, growth: boolean }} options
 */
globalThis.runBench = async (name, options) => {
  const run = bench[name];
  if (typeof run !== 'function')
    throw new Error(`the bench module exports ${Object.keys(bench).join(', ') || 'nothing'}, not ${name}`);
  if (!globalThis.crossOriginIsolated) throw new Error('the bench page is not cross-origin isolated');
  /** @type {BenchPlot[]} */
  const plots = [];
  await run((row) => globalThis.reportRow(row), { ...options, plot: (plot) => plots.push(plot) });
  for (const plot of plots) await globalThis.reportPlot(plot, await draw(plot));
};
globalThis.isBenchReady = true;
