// Rows of a bench: how a row is judged, printed and written.
import { cpus, totalmem } from 'node:os';

/**
 * What a bench reports. `goal` bounds the ratio `ours / beside`, or `ours` itself where there is nothing beside it;
 * it is an upper bound, or a lower one with `higherIsBetter`. A row without a goal is printed and never judged. One whose peer could
 * not run has `isMeasured: false`: its `pass` is null, neither one nor the other.
 * @typedef {{ name: string, ours: number, beside?: number | null, unit?: string, goal?: number | null, higherIsBetter?: boolean, isMeasured?: boolean, spread?: number | string | readonly [number, number] }} Reported
 * @typedef {{ name: string, ours: number, beside: number | null, ratio: number | null, goal: number | null, pass: boolean | null }} Row
 * @typedef {Row & { unit: string, bound: string, spread: string }} PrintedRow
 */

/** @param {Reported} reported @param {'ours' | 'beside' | 'goal'} field @returns {number | null} */
function readNumber(reported, field) {
  const value = reported[field];
  if (field !== 'ours' && (value === undefined || value === null)) return null;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new Error(`bench row "${reported.name}": ${field} is ${String(value)}; it must be a finite number`);
  return value;
}

/** @param {number} ours @param {number | null} beside */
function toRatio(ours, beside) {
  if (beside === null) return null;
  return beside === 0 ? Number.MAX_VALUE : ours / beside;
}

/** @param {Reported} reported @returns {PrintedRow} */
export function judge(reported) {
  const { name, unit = '', higherIsBetter = false, isMeasured = true, spread = '' } = reported;
  if (typeof name !== 'string' || name === '') throw new Error('a bench row needs a name');
  const ours = /** @type {number} */ (readNumber(reported, 'ours'));
  const beside = readNumber(reported, 'beside');
  const goal = readNumber(reported, 'goal');
  const ratio = toRatio(ours, beside);
  const judged = ratio ?? ours;
  const isWithin = (/** @type {number} */ limit) => (higherIsBetter ? judged >= limit : judged <= limit);
  return {
    name,
    ours,
    beside,
    ratio,
    goal,
    unit,
    pass: isMeasured ? goal === null || isWithin(goal) : null,
    bound: toBound(goal, higherIsBetter, ratio === null && isMeasured ? ` ${unit}`.trimEnd() : '×'),
    spread: toSpread(spread),
  };
}

/** @param {number | null} goal @param {boolean} higherIsBetter @param {string} suffix */
function toBound(goal, higherIsBetter, suffix) {
  return goal === null ? '' : `${higherIsBetter ? '≥' : '≤'} ${goal}${suffix}`;
}

/** Half a width, or the least and the greatest. @param {NonNullable<Reported['spread']>} spread */
function toSpread(spread) {
  if (typeof spread === 'string') return spread;
  if (typeof spread === 'number') return `±${toShort(spread)}`;
  return `${toShort(spread[0])}–${toShort(spread[1])}`;
}

/** @param {number | null} value */
function toShort(value) {
  if (value === null) return '–';
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential(1);
  return value.toLocaleString('en', { maximumSignificantDigits: 4, useGrouping: false });
}

/** @param {PrintedRow} row */
function toVerdict({ goal, pass }) {
  if (pass === null) return 'not measured';
  if (goal === null) return '';
  return pass ? 'pass' : 'FAIL';
}

/** @param {PrintedRow[]} rows */
export function toTable(rows) {
  const head = ['name', 'ours', 'beside', 'unit', 'ratio', 'spread', 'goal', ''];
  const lines = rows.map((row) => [
    row.name,
    toShort(row.ours),
    toShort(row.beside),
    row.unit,
    row.ratio === null ? '–' : `${toShort(row.ratio)}×`,
    row.spread,
    row.bound,
    toVerdict(row),
  ]);
  const widths = head.map((_, column) =>
    Math.max(...[head, ...lines].map((cells) => cells[column]?.length ?? 0)),
  );
  const isRight = [false, true, true, false, true, true, false, false];
  return [head, ...lines]
    .map((cells) =>
      cells
        .map((cell, at) => (isRight[at] ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {PrintedRow[]} rows @returns {Row[]} */
export function toJsonRows(rows) {
  return rows.map(({ name, ours, beside, ratio, goal, pass }) => ({ name, ours, beside, ratio, goal, pass }));
}

/**
 * The last lines of a bench, and whether it ends well. A sabotaged one ends well when it falls short.
 * @param {PrintedRow[]} rows
 * @param {boolean} sabotage
 * @returns {{ lines: string[], exitCode: 0 | 1 }}
 */
export function conclude(rows, sabotage) {
  const short = rows.filter((row) => row.pass === false).map((row) => row.name);
  const unmeasured = rows.filter((row) => row.pass === null).length;
  const lines = unmeasured > 0 ? [`not measured: ${unmeasured} of ${rows.length} rows`] : [];
  const hasFallenShort = short.length > 0;
  if (sabotage)
    lines.push(
      hasFallenShort ? 'sabotaged, and seen:' : 'sabotaged, and NOT seen: this bench proves nothing',
    );
  if (hasFallenShort) lines.push(`fell short: ${short.join(', ')}`);
  else lines.push(unmeasured > 0 ? 'no measured goal was missed' : 'all goals met');
  return { lines, exitCode: sabotage && !hasFallenShort ? 1 : 0 };
}

/** @param {string} browserVersion */
export function machineLine(browserVersion) {
  const [first] = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(1);
  const date = new Date().toISOString().slice(0, 10);
  return `${first?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${memory} GiB, Node ${process.versions.node}, Chromium ${browserVersion}, ${date}`;
}
