import { expect, test } from 'vitest';
import { SimulatedClock } from '../../../../platform/index.ts';
import type { GuestOutput } from '../../../guest/engine.ts';
import type { GuestToolCall, GuestTools } from '../../../guest/tool-port.ts';
import { packAnswer, unpackAnswer } from '../../../sandbox/tool-answer.ts';
import { HostFunctions } from './host-functions.ts';

const answerOf = (json: string, ...buffers: readonly ArrayBuffer[]) =>
  unpackAnswer(packAnswer(json, buffers));

/** With a run that writes down what it is told. */
function openHost(tools: Partial<GuestTools>) {
  const told: unknown[] = [];
  const asked: GuestToolCall[] = [];
  const shown: string[] = [];
  // what host functions use of it, and no more
  const output = {
    display: (bundle: unknown) => shown.push(String(bundle)) < 2,
    tools: {
      canBlock: false,
      call: (call: GuestToolCall) => (asked.push(call), undefined),
      start: (call: GuestToolCall) => (asked.push(call), Promise.resolve(undefined)),
      ...tools,
    },
  } as unknown as GuestOutput;
  const host = new HostFunctions(output, new SimulatedClock());
  const run = {
    end: (ending: unknown) => void told.push(ending),
    fire: () => undefined,
    answer: (call: number, text: string) => void told.push([call, text]),
    lineOf: (trace: string) => trace.length,
  };
  const begin = (): void => host.begin(run as never, [], 1000);
  begin();
  return { host, told, asked, shown, begin };
}

test('a call that cannot wait says so, and nothing is sent', () => {
  const { host, asked, told } = openHost({});
  host.hold(new Uint8Array([1]).buffer);
  const answer = JSON.parse(host.callTool('rate', '[[],[]]', '')) as { code: string; message: string };
  expect(answer).toEqual({
    code: 'executor/tool-wait-unavailable',
    message: '"rate" cannot be waited for here: use await rate(…)',
  });
  expect([asked, told]).toEqual([[], []]);
});

test('a call that waits has its answer, and its bytes; one that was stopped ends the run', () => {
  const answers = [answerOf('{"value":1}', new Uint8Array([7]).buffer), undefined];
  const { host, told, asked } = openHost({
    canBlock: true,
    call: (call) => (asked.push(call), answers.shift()),
  });
  host.hold(new Uint8Array([1, 2]).buffer);
  expect(host.callTool('rate', '[["EUR"],[]]', 'four')).toBe('{"value":1}');
  expect([...new Uint8Array(host.takeBytes(0))]).toEqual([7]);
  expect(asked).toMatchObject([{ name: 'rate', arguments: '[["EUR"],[]]', line: 4 }]);
  expect([...new Uint8Array(asked[0]?.buffers[0] as ArrayBuffer)]).toEqual([1, 2]);
  expect(host.callTool('rate', '[[],[]]', '')).toBe('');
  expect(asked[1]?.buffers).toEqual([]);
  expect(told).toEqual([{ type: 'stopped' }]);
});

test('an answer reaches the run that asked, and no later one', async () => {
  const waiting: ((answer: ReturnType<typeof answerOf> | undefined) => void)[] = [];
  const { host, told, begin } = openHost({
    start: () => new Promise((resolve) => void waiting.push(resolve)),
  });
  for (const call of [1, 2, 3]) host.startTool(call, 'rate', '[[],[]]', '');
  waiting[0]?.(answerOf('{"value":"é"}'));
  // nobody waits any longer
  waiting[1]?.(undefined);
  await Promise.resolve();
  await Promise.resolve();
  expect(told).toEqual([[1, '{"value":"é"}']]);
  host.end();
  host.startTool(4, 'rate', '[[],[]]', '');
  expect(waiting).toHaveLength(3);
  waiting[2]?.(answerOf('{"value":"late"}'));
  await Promise.resolve();
  await Promise.resolve();
  begin();
  expect(told).toHaveLength(1);
});

test('showing more than may be shown ends the run', () => {
  const { host, shown, told } = openHost({});
  host.showTable('[[["a",1]]]', 'a');
  expect(JSON.parse(shown[0] ?? '')).toMatchObject({ 'text/plain': 'a' });
  host.show('{}');
  expect(told).toEqual([{ type: 'output' }]);
});
