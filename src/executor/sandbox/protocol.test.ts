import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGuestMessage } from './protocol.ts';
import { parseRunResult } from './run-result.ts';
import { MalformedValue } from './value-reader.ts';

test.each([
  { type: 'sandbox-ready' },
  { type: 'sandbox-fail', message: 'm' },
  { type: 'output-write', run: 1, stream: 'stdout', text: 't' },
  { type: 'output-exceed', run: 1, bound: 'displayBytes' },
  { type: 'run-end', run: 1, result: '{}', buffers: [new ArrayBuffer(1)], isStateLost: false },
  { type: 'run-end', run: 1, result: '{}', buffers: [], isStateLost: false, isStateSame: true },
  { type: 'display-write', run: 1, bundle: '{}' },
  {
    type: 'tool-call',
    run: 1,
    call: 1,
    name: 'n',
    arguments: '[[],[]]',
    buffers: [],
    line: null,
    isBlocking: true,
  },
  {
    type: 'session-save',
    run: 1,
    parts: [null, new ArrayBuffer(1)],
    names: ['n'],
    lost: [{ name: 'l', reason: 'r' }],
  },
  { type: 'session-saving', run: 1 },
  { type: 'session-unsaved', run: 1 },
  { type: 'session-restored', lost: [] },
  { type: 'sandbox-die', message: 'm' },
] as const)('$type is read as it is', (message) => {
  expect(parseGuestMessage(structuredClone(message))).toEqual(message);
  // whatever else the browser had to build for it comes once
  expect(parseGuestMessage({ ...message, extra: new Map() })).toBe(undefined);
  expect(parseGuestMessage({ ...message, toString: 1 })).toBe(undefined);
  expect(parseGuestMessage(Object.assign([new Map()], message))).toBe(undefined);
});

const call = {
  type: 'tool-call',
  run: 1,
  call: 1,
  name: 'n',
  arguments: '',
  buffers: [],
  line: 1,
  isBlocking: true,
};

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['a text', 'run-end'],
  ['another type', { type: 'run-start' }],
  ['a name of Object', { type: 'toString' }],
  ['a run that is no number', { type: 'output-exceed', run: '1', bound: 'displays' }],
  ['a run beyond counting', { type: 'output-exceed', run: 2 ** 60, bound: 'displays' }],
  ['a bound that is none', { type: 'output-exceed', run: 1, bound: 'toString' }],
  ['a bound of the page', { type: 'output-exceed', run: 1, bound: 'sessions' }],
  ['a bundle that is no text', { type: 'display-write', run: 1, bundle: {} }],
  ['a call without a number', { ...call, call: undefined }],
  ['a call of a tool without a name', { ...call, name: ['n'] }],
  ['a call of a tool by a name that is longer than any', { ...call, name: 'n'.repeat(257) }],
  ['a call with arguments that are no text', { ...call, arguments: [] }],
  ['a call with buffers that are none', { ...call, buffers: [1] }],
  ['a call from half a line', { ...call, line: 1.5 }],
  ['a call that waits perhaps', { ...call, isBlocking: 1 }],
  ['another stream', { type: 'output-write', run: 1, stream: 'stdlog', text: '' }],
  ['text that is no text', { type: 'output-write', run: 1, stream: 'stdout', text: ['x'] }],
  ['a result that is no text', { type: 'run-end', run: 1, result: {}, buffers: [], isStateLost: false }],
  [
    'buffers that are none',
    { type: 'run-end', run: 1, result: '', buffers: [new Uint8Array(1)], isStateLost: false },
  ],
  [
    'buffers with something beside',
    {
      type: 'run-end',
      run: 1,
      result: '',
      buffers: Object.assign([], { more: new Map() }),
      isStateLost: false,
    },
  ],
  [
    'a list of nothing',
    { type: 'run-end', run: 1, result: '', buffers: Array.from({ length: 3 }), isStateLost: false },
  ],
  [
    'a loss that is neither true nor false',
    { type: 'run-end', run: 1, result: '', buffers: [], isStateLost: 1 },
  ],
  [
    'a sameness that is not true',
    { type: 'run-end', run: 1, result: '', buffers: [], isStateLost: false, isStateSame: false },
  ],
])('%s is no message', (_name, data) => {
  expect(parseGuestMessage(data)).toBe(undefined);
});

test('no data makes the reader throw', () => {
  fc.assert(
    fc.property(fc.anything({ withNullPrototype: true }), (data) => {
      parseGuestMessage(data);
      parseGuestMessage({ type: 'run-end', run: data, result: data, buffers: data });
    }),
  );
});

const bounds = { resultBytes: 1000, valueDepth: 4 };
const parse = (result: unknown, buffers: readonly ArrayBuffer[] = []) =>
  parseRunResult(typeof result === 'string' ? result : JSON.stringify(result), buffers, bounds);

test.each<[string, unknown]>([
  ['no JSON', '{'],
  ['another type', { type: 'root' }],
  ['no value', { type: 'returned', variables: [] }],
  ['a value nested too deep', { type: 'returned', value: [[[[[[[[1]]]]]]]], variables: [] }],
  ['an unknown tag', { type: 'returned', value: { $: 'code', v: 'x' }, variables: [] }],
  ['a buffer that is not there', { type: 'returned', value: { $: 'bytes', b: 0 }, variables: [] }],
  ['a huge decimal number', { type: 'returned', value: { $: 'int', v: '9'.repeat(50) }, variables: [] }],
  ['variables as an object', { type: 'returned', value: 1, variables: { a: 1 } }],
  ['an error without a line', { type: 'threw', error: { type: 'E', message: '', traceback: '' } }],
  ['a line that is a text', { type: 'syntax-error', message: '', line: '1', column: null }],
  ['another limit', { type: 'exceeded', limit: 'calls' }],
  ['a limit of the page', { type: 'exceeded', limit: 'keys' }],
])('%s is malformed', (_name, result) => {
  expect(() => parse(result)).toThrow(MalformedValue);
});

test('a buffer stands for one value, wherever it is named', () => {
  const bytes = { $: 'bytes', b: 0 };
  const array = { $: 'array', t: 'b', b: 0 };
  const once = parse({ type: 'returned', value: bytes, variables: [] }, [new ArrayBuffer(8)]);
  expect(once).toMatchObject({ value: new Uint8Array(8) });
  for (const result of [
    { type: 'returned', value: [bytes, bytes], variables: [] },
    { type: 'returned', value: { a: bytes, b: [array] }, variables: [] },
    { type: 'returned', value: bytes, variables: [['x', array]] },
    { type: 'submitted', value: [['x', { $: 'dict', v: [[bytes, bytes]] }]] },
  ]) {
    expect(() => parse(result, [new ArrayBuffer(8)])).toThrow(MalformedValue);
  }
});

test('names of Object stay names', () => {
  const text = '{"type":"returned","value":{"__proto__":{"x":1}},"variables":[["__proto__",{"x":1}]]}';
  const result = parse(text) as { value: object; variables: object };
  expect(Object.getPrototypeOf(result.value)).toBe(null);
  expect(Object.getPrototypeOf(result.variables)).toBe(null);
  expect(Object.keys(result.variables)).toEqual(['__proto__']);
  expect(Reflect.get(result.value, 'x')).toBe(undefined);
});

test('a result beyond its size is told as such, before it is read', () => {
  expect(parse(`{${'x'.repeat(200_000)}`)).toEqual({ type: 'exceeded', limit: 'result' });
  expect(parse({ type: 'returned', value: 1, variables: [] }, [new ArrayBuffer(200_000)])).toEqual({
    type: 'exceeded',
    limit: 'result',
  });
});

test('any JSON is read or malformed, nothing else', () => {
  const json = fc.jsonValue();
  const errorOf = (result: unknown): unknown => {
    try {
      parse(result);
      return undefined;
    } catch (error) {
      return error;
    }
  };
  fc.assert(
    fc.property(json, json, fc.constantFrom('returned', 'submitted', 'threw', 'denied'), (a, b, type) => {
      const error = errorOf({ type, value: a, variables: b, error: b });
      expect(error === undefined || error instanceof MalformedValue).toBe(true);
    }),
  );
});
