import { describe, expect, it } from 'vitest';
import { plotFileOf, toPlotTable } from './plot.mjs';

describe('curves of a bench', () => {
  const plot = {
    name: 'growth',
    title: 'Growth',
    x: 'entries',
    y: 'ms',
    points: [
      { series: 'append', x: 1000, y: 0.12345 },
      { series: 'append', x: 100, y: 12 },
      { series: 'read', x: 1000, y: 2 },
    ],
  };

  it('are a table: a column for each series, a line for each place, in order', () => {
    expect(toPlotTable(plot)).toBe(
      ['Growth (ms)', 'entries  append  read', '    100      12     –', '   1000   0.123     2'].join('\n'),
    );
  });

  it('lie beside the rows', () => {
    expect(plotFileOf('/tmp/rows.json', plot)).toBe('/tmp/rows-growth.svg');
    expect(plotFileOf('rows', plot)).toBe('rows-growth.svg');
  });
});
