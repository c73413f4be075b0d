/** Rich values: what a guest shows beside what it prints. */
/* oxlint-disable max-lines-per-function, typescript/unbound-method -- one closure, because its text is all that reaches the interpreter, and methods as they were before a guest could change them */
import type { GuestConsole, GuestDisplay, GuestValues, HarnessHost } from './harness-types.ts';

/** Runs in the interpreter. */
export function installDisplay(
  host: HarnessHost,
  { mapped }: GuestValues,
  { show, complain }: GuestConsole,
): GuestDisplay {
  const { stringify } = JSON;
  const { isArray } = Array;
  const { isView } = ArrayBuffer;
  const { defineProperty, entries, getPrototypeOf, keys } = Object;
  const NativeDate = Date;
  const objectPrototype = Object.prototype;
  /** As Deno's notebooks know it. */
  const method = Symbol.for('Jupyter.display');
  const shownDepth = 2;
  let mostLength = 0;

  type Bundle = Record<string, unknown>;

  const isPlain = (value: unknown): value is Bundle => {
    if (typeof value !== 'object' || value === null || isArray(value)) return false;
    const prototype: unknown = getPrototypeOf(value);
    return prototype === null || prototype === objectPrototype;
  };

  const methodOf = (value: unknown): (() => unknown) | undefined => {
    if (typeof value !== 'object' || value === null) return undefined;
    const owner = value as Record<string | symbol, unknown>;
    for (const name of [method, 'toMimeBundle']) {
      const work = owner[name];
      if (typeof work === 'function') return () => work.call(value) as unknown;
    }
    return undefined;
  };

  const isBundle = (value: unknown): value is Bundle => {
    if (!isPlain(value)) return false;
    const names = keys(value);
    for (let index = 0; index < names.length; index += 1) {
      if (!/^[\w.+-]+\/[\w.+-]+$/.test(names[index] as string)) return false;
    }
    return names.length > 0;
  };

  const isTable = (value: unknown): value is readonly Bundle[] => {
    if (!isArray(value) || value.length === 0) return false;
    for (let index = 0; index < value.length; index += 1) {
      if (!isPlain(value[index]) || isBundle(value[index])) return false;
    }
    return true;
  };

  const writeCell = (value: unknown): unknown => {
    if (value === null || value === undefined) return null;
    if (typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && value - value === 0) return value;
    return value instanceof NativeDate && value.getTime() === value.getTime()
      ? value.toISOString()
      : show(value, 0);
  };

  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const toBase64 = (bytes: Uint8Array): string => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 3) {
      const [a, b, c] = [bytes[at] as number, bytes[at + 1], bytes[at + 2]];
      const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
      text += `${alphabet[bits >> 18]}${alphabet[(bits >> 12) & 63]}`;
      text += b === undefined ? '=' : alphabet[(bits >> 6) & 63];
      text += c === undefined ? '=' : alphabet[bits & 63];
    }
    return text;
  };

  const writeForm = (content: unknown): unknown => {
    if (typeof content === 'string') return content;
    if (!isView(content)) return stringify(content);
    return toBase64(new Uint8Array(content.buffer as ArrayBuffer, content.byteOffset, content.byteLength));
  };

  /** One character more than may be shown says as much as all of them. */
  const send = (text: string): void => host.show(text.slice(0, mostLength + 1));

  const showBundle = (bundle: Bundle): void => {
    const forms: Record<string, unknown> = {};
    mapped(entries(bundle), (pair) => (forms[pair[0]] = writeForm(pair[1])));
    send(stringify(forms));
  };

  const showTable = (rows: readonly Bundle[]): void => {
    const cells = mapped(rows, (row) => mapped(entries(row), (pair) => [pair[0], writeCell(pair[1])]));
    const text = stringify(cells);
    if (text.length > mostLength) send(text);
    else host.showTable(text, show(rows, shownDepth));
  };

  const showText = (value: unknown): void => showBundle({ 'text/plain': show(value, shownDepth) });

  const showRich = (value: unknown, bundle: unknown): void => {
    if (!isPlain(bundle)) return showText(value);
    showBundle('text/plain' in bundle ? bundle : { ...bundle, 'text/plain': show(value, shownDepth) });
  };

  /** A method that fails is told as a notebook does, and the text is shown. */
  const failed = (value: unknown, error: unknown): void => {
    complain(error);
    showText(value);
  };

  const showOne = (value: unknown): unknown => {
    const work = methodOf(value);
    if (!work) {
      if (isBundle(value)) showBundle(value);
      else if (isTable(value)) showTable(value);
      else showText(value);
      return undefined;
    }
    try {
      const bundle = work();
      const { then } = (bundle ?? {}) as { then?: unknown };
      if (typeof then !== 'function') return showRich(value, bundle);
      return (bundle as Promise<unknown>).then(
        (later) => showRich(value, later),
        (error: unknown) => failed(value, error),
      );
    } catch (error) {
      return failed(value, error);
    }
  };

  const display = (...given: unknown[]): unknown => {
    let later: unknown;
    for (let index = 0; index < given.length; index += 1) later = showOne(given[index]) ?? later;
    return later;
  };
  defineProperty(globalThis, 'display', { value: display, writable: true, configurable: true });

  return {
    begin({ displayBytes }): void {
      mostLength = displayBytes;
    },
    showLast(value): void {
      if (methodOf(value)) showOne(value);
    },
  };
}
