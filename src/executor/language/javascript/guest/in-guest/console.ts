/** What a guest prints, and how values look in it. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type { GuestConsole, GuestValues, HarnessHost } from './harness-types.ts';

/** Newer than the library that the types are taken from. */
interface WellFormed {
  isWellFormed(): boolean;
}

/** Runs in the interpreter. */
export function installConsole(host: HarnessHost, { mapped }: GuestValues): GuestConsole {
  const { stringify } = JSON;
  const { isArray } = Array;
  const { isView } = ArrayBuffer;
  const { getPrototypeOf, keys } = Object;
  const NativePromise = Promise;
  const NativeMap = Map;
  const NativeSet = Set;
  const NativeDate = Date;
  const NativeError = Error;

  const typeOf = (error: Error): string => {
    const { name } = error;
    if (typeof name === 'string' && name !== 'Error') return name;
    const made: unknown = error.constructor?.name;
    return typeof made === 'string' && made !== '' ? made : 'Error';
  };

  const maxItems = 100;
  let outputBytes = 0;
  let indent = '';

  /** As a console shows a value. */
  const show = (value: unknown, depth: number, isNested: boolean = false): string => {
    switch (typeof value) {
      case 'string':
        return isNested ? stringify(value) : value;
      case 'bigint':
        return `${value}n`;
      case 'number':
        return value === 0 && 1 / value < 0 ? '-0' : `${value}`;
      case 'function':
        return `[Function: ${value.name || '(anonymous)'}]`;
      case 'object':
        return value === null ? 'null' : tryShow(value, depth);
      case 'symbol':
      case 'boolean':
      case 'undefined':
        return String(value);
    }
  };

  const tryShow = (value: object, depth: number): string => {
    try {
      return showPlain(value) ?? showParts(value, depth);
    } catch {
      return '[Object]';
    }
  };

  const showPlain = (value: object): string | undefined => {
    if (value instanceof NativeError) {
      return `${typeOf(value)}: ${value.message}\n${String(value.stack ?? '')}`.trimEnd();
    }
    if (value instanceof NativeDate)
      return String(value) === 'Invalid Date' ? 'Invalid Date' : value.toISOString();
    if (value instanceof RegExp) return String(value);
    return value instanceof NativePromise ? 'Promise {}' : undefined;
  };

  const showParts = (value: object, depth: number): string => {
    if (depth < 0) return isArray(value) ? '[Array]' : '[Object]';
    const inner = (item: unknown): string => show(item, depth - 1, true);
    const shownOf = (items: readonly unknown[]): string[] => mapped(items.slice(0, maxItems), inner);
    if (isArray(value)) return showList(['', '[', ']'], shownOf(value), value.length);
    if (isView(value)) {
      const { length, constructor } = value as Uint8Array;
      const first = [...(value as Uint8Array).subarray(0, maxItems)];
      return showList([`${constructor.name}(${length}) `, '[', ']'], shownOf(first), length);
    }
    if (value instanceof NativeSet) {
      return showList([`Set(${value.size}) `, '{', '}'], shownOf([...value]), value.size);
    }
    if (value instanceof NativeMap) {
      const first = [...value].slice(0, maxItems);
      const items = mapped(first, (pair: readonly unknown[]) => `${inner(pair[0])} => ${inner(pair[1])}`);
      return showList([`Map(${value.size}) `, '{', '}'], items, value.size);
    }
    return showRecord(value, inner);
  };

  const showRecord = (value: object, inner: (item: unknown) => string): string => {
    const names = keys(value);
    const items = mapped(names.slice(0, maxItems), (key) => {
      const shown = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? key : stringify(key);
      return `${shown}: ${inner((value as Record<string, unknown>)[key])}`;
    });
    const prototype = getPrototypeOf(value) as object | null;
    const name: unknown = prototype === null ? '[Object: null prototype]' : prototype.constructor?.name;
    const prefix = typeof name === 'string' && name !== 'Object' ? `${name} ` : '';
    return showList([prefix, '{', '}'], items, names.length);
  };

  const showList = (
    [prefix, open, close]: readonly [prefix: string, open: string, close: string],
    items: string[],
    size: number,
  ): string => {
    if (size > items.length) items.push(`... ${size - items.length} more`);
    if (items.length === 0) return `${prefix}${open}${close}`;
    const line = `${prefix}${open} ${items.join(', ')} ${close}`;
    if (line.length <= 100 && !line.includes('\n')) return line;
    const indented = items.map((item) => `  ${item.replaceAll('\n', '\n  ')}`);
    return `${prefix}${open}\n${indented.join(',\n')}\n${close}`;
  };

  const format = (values: readonly unknown[]): string => {
    const [first, ...others] = values;
    if (typeof first !== 'string' || !first.includes('%'))
      return mapped(values, (value) => show(value, 2)).join(' ');
    const text = first.replaceAll(/%[sdifjoOc%]/g, (found) => {
      if (found === '%%') return '%';
      if (others.length === 0) return found;
      const value = others.shift();
      if (found === '%c') return '';
      if (found === '%d') return String(Number(value));
      if (found === '%i') return String(parseInt(String(value), 10));
      if (found === '%f') return String(parseFloat(String(value)));
      return found === '%j' ? stringify(value) : show(value, 4, found !== '%s');
    });
    return [text, ...mapped(others, (value) => show(value, 2))].join(' ');
  };

  const write = (stream: 0 | 1, text: string): void => {
    const shown = text.slice(0, outputBytes);
    const line = `${indent === '' ? shown : indent + shown.replaceAll('\n', `\n${indent}`)}\n`;
    // a bare text would end at its first null character, and lose what is no character
    const isBare = !line.includes('\0') && (line as unknown as WellFormed).isWellFormed();
    if (isBare) host.emit(stream, line);
    else host.emitJson(stream, stringify(line));
  };

  const print = (stream: 0 | 1, values: readonly unknown[]): void => {
    const [first] = values;
    const isPlain = values.length === 1 && typeof first !== 'object';
    write(stream, isPlain ? show(first, 0) : format(values));
  };

  return {
    begin(sizeBytes): void {
      outputBytes = sizeBytes;
      // a group that a run left open is no part of the next one
      indent = '';
    },
    show,
    typeOf,
    print,
    write,
    complain: (...values) => print(1, values),
    indent(steps): void {
      indent = steps > 0 ? `${indent}  ` : indent.slice(2);
    },
  };
}
