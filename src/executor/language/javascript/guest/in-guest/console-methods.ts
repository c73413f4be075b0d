/** What a console has beside lines: groups, counters, timers and tables. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type { GuestConsole, GuestValues } from './harness-types.ts';

type Cells = Map<string, string>;

/** Runs in the interpreter. */
export function installConsoleMethods({ mapped }: GuestValues, guestConsole: GuestConsole): void {
  const { print, write, show } = guestConsole;
  const { isView } = ArrayBuffer;
  const { assign, defineProperty, entries } = Object;
  const NativeMap = Map;
  const NativeSet = Set;
  const NativeError = Error;
  const NativeDataView = DataView;
  // a table is for people
  const mostRows = 1000;
  const mostColumns = 100;
  const mostWidth = 200;

  const out = (...values: unknown[]): void => print(0, values);
  const err = (...values: unknown[]): void => print(1, values);
  const warn = (text: string): void => write(1, `Warning: ${text}`);

  const counts = new NativeMap<string, number>();
  const { get } = Reflect;
  // asked for when it is needed: that of a session goes on when the session comes back
  const now = (): number => (get(globalThis, 'performance') as { now(): number }).now();
  const starts = new NativeMap<string, number>();

  const count = (given: unknown = 'default'): void => {
    const label = `${given as string}`;
    const next = (counts.get(label) ?? 0) + 1;
    counts.set(label, next);
    write(0, `${label}: ${next}`);
  };
  const countReset = (given: unknown = 'default'): void => {
    const label = `${given as string}`;
    if (!counts.delete(label)) warn(`Count for '${label}' does not exist`);
  };

  const time = (given: unknown = 'default'): void => {
    const label = `${given as string}`;
    if (starts.has(label)) warn(`Label '${label}' already exists for console.time()`);
    else starts.set(label, now());
  };
  const tellTime = (label: string, method: string, values: readonly unknown[]): void => {
    const start = starts.get(label);
    if (start === undefined) return warn(`No such label '${label}' for console.${method}()`);
    const ms = now() - start;
    const took = ms < 1000 ? `${ms.toFixed(3)}ms` : `${(ms / 1000).toFixed(3)}s`;
    write(0, [`${label}: ${took}`, ...mapped(values, (value) => show(value, 2))].join(' '));
  };
  const timeLog = (given: unknown = 'default', ...values: unknown[]): void =>
    tellTime(`${given as string}`, 'timeLog', values);
  const timeEnd = (given: unknown = 'default'): void => {
    const label = `${given as string}`;
    tellTime(label, 'timeEnd', []);
    starts.delete(label);
  };

  const group = (...labels: unknown[]): void => {
    if (labels.length > 0) out(...labels);
    guestConsole.indent(1);
  };

  const assert = (isTrue: unknown, ...values: unknown[]): void => {
    if (isTrue) return;
    const [first, ...others] = values;
    if (values.length === 0) write(1, 'Assertion failed');
    else if (typeof first === 'string') err(`Assertion failed: ${first}`, ...others);
    else err('Assertion failed:', ...values);
  };

  const dir = (value: unknown, options?: { depth?: number | null }): void => {
    const depth = options?.depth;
    write(0, show(value, depth === null ? 100 : Number(depth ?? 2), true));
  };

  const trace = (...values: unknown[]): void => {
    const frames = String(new NativeError().stack)
      .split('\n')
      .filter((line) => line !== '' && !line.includes('<harness>'));
    const [first, ...others] = values;
    if (values.length === 0) write(1, 'Trace');
    else if (typeof first === 'string') err(`Trace: ${first}`, ...others);
    else err('Trace:', ...values);
    if (frames.length > 0) write(1, frames.join('\n'));
  };

  /** A view is a list of numbers, but for the one that has no elements. */
  const isList = (data: object): data is Iterable<unknown> & object =>
    data instanceof NativeMap ||
    data instanceof NativeSet ||
    (isView(data) && !(data instanceof NativeDataView));

  const pairsOf = (data: object): [string, unknown][] =>
    isList(data) ? mapped([...data], (item, index) => [`${index}`, item]) : entries(data);

  const cell = (value: unknown): string => {
    const text = show(value, 0, true).replaceAll('\n', '\\n');
    return text.length > mostWidth ? `${text.slice(0, mostWidth)}…` : text;
  };

  /** One row of a table, by the names of its columns. A value without parts stands under `Values`. */
  const cellsOf = (index: string, item: unknown, names: readonly string[] | undefined): Cells => {
    const cells: Cells = new NativeMap([['(index)', index]]);
    if (typeof item !== 'object' || item === null) return cells.set('Values', cell(item));
    const pairs = entries(item);
    for (let at = 0; at < pairs.length && cells.size <= mostColumns; at += 1) {
      const [name, value] = pairs[at] as [string, unknown];
      if (!names || names.includes(name)) cells.set(name, cell(value));
    }
    return cells;
  };

  const frame = (rows: readonly Cells[], columns: readonly string[]): string => {
    const lengthOf = (text: string): number => Array.from(text).length;
    const widths = mapped(columns, (name) =>
      rows.reduce((most, row) => Math.max(most, lengthOf(row.get(name) ?? '')), lengthOf(name)),
    );
    const line = (texts: readonly string[]): string =>
      `│ ${mapped(texts, (text, at) => text + ' '.repeat((widths[at] as number) - lengthOf(text))).join(' │ ')} │`;
    const rule = ([left, middle, right]: readonly [string, string, string]): string =>
      left + mapped(widths, (width) => '─'.repeat(width + 2)).join(middle) + right;
    const body = mapped(rows, (row) => line(mapped(columns, (name) => row.get(name) ?? '')));
    return [rule(['┌', '┬', '┐']), line(columns), rule(['├', '┼', '┤']), ...body, rule(['└', '┴', '┘'])].join(
      '\n',
    );
  };

  const table = (data: unknown, names?: readonly string[]): void => {
    if (typeof data !== 'object' || data === null) return out(data);
    const pairs = pairsOf(data);
    const rows = mapped(pairs.slice(0, mostRows), (pair) => cellsOf(pair[0], pair[1], names));
    const seen = new NativeSet<string>(['(index)', ...(names ?? [])]);
    for (const row of rows) for (const name of row.keys()) if (name !== 'Values') seen.add(name);
    const columns = [...seen].slice(0, mostColumns + 1);
    // as in other consoles: values without parts stand at the right
    if (rows.some((row) => row.has('Values'))) columns.push('Values');
    const more = pairs.length > mostRows ? `\n... ${pairs.length - mostRows} more rows` : '';
    write(0, frame(rows, columns) + more);
  };

  const console = { log: out, info: out, debug: out, warn: err, error: err };
  const others = { count, countReset, time, timeLog, timeEnd, group, groupCollapsed: group };
  assign(console, others, { groupEnd: () => guestConsole.indent(-1), assert, dir, trace, table });
  defineProperty(globalThis, 'console', { value: console, writable: true, configurable: true });
}
