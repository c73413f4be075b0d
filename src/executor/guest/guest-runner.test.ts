import { expect, test } from 'vitest';
import { SimulatedClock } from '../../platform/index.ts';
import type { GuestMessage, RunStart } from '../sandbox/protocol.ts';
import type { Engine } from './engine.ts';
import { packAnswer } from '../sandbox/tool-answer.ts';
import { GuestRunner } from './guest-runner.ts';
import { createInterruptFlag, pythonSignalOf, raiseInterrupt } from './interrupt-flag.ts';

/** What an engine is given: whatever holds these can be reached by a guest. */
interface Given {
  readonly emit: (stream: number, text: unknown) => void;
  readonly emitBytes: (bytes: Uint8Array) => void;
  readonly keep: (bytes: Uint8Array) => number;
}

/** An engine that is nothing but this guest. */
const engineOf = (guest: () => unknown): Engine => ({
  interruptName: 'KeyboardInterrupt',
  run: () => guest() as string,
});

const clock = new SimulatedClock();
/** What is the same in every `run-start`. */
const rest = {
  timeoutMs: 1000,
  toolCalls: 2,
  toolArgumentBytes: 100,
  displays: 2,
  displayBytes: 100,
  hasTools: true,
  saving: null,
};

/** A run of a session. */
const sessionRun = (run: number): RunStart => ({
  type: 'run-start',
  run,
  ...rest,
  request: new Uint8Array(),
  buffers: [],
  outputBytes: 1000,
  resultBytes: 1000,
  saving: { sizeBytes: 100, packageBytes: 0, timeMs: 100, idleMs: 50 },
});

/** Runs `guest` in the place of Python, which is what a guest that goes round the harness comes to. */
async function run(
  guest: (given: Given) => unknown,
  limits: { readonly outputBytes?: number } = {},
): Promise<readonly GuestMessage[]> {
  const sent: GuestMessage[] = [];
  const runner = new GuestRunner(
    (message, transfer = []) => void sent.push(structuredClone(message, { transfer: [...transfer] })),
    {},
    clock,
  );
  const given: Given = {
    emit: (stream, text) => runner.emit(stream === 0 ? 'stdout' : 'stderr', text),
    emitBytes: (bytes) => runner.emitBytes('stdout', bytes),
    keep: (bytes) => runner.keep(bytes),
  };
  runner.install(engineOf(() => guest(given)));
  const request = new Uint8Array();
  const bounds = { outputBytes: 1000, resultBytes: 1000, ...limits };
  await runner.receive({ type: 'run-start', run: 1, request, buffers: [], ...rest, ...bounds });
  return sent;
}

const attempt = (work: () => unknown): string => {
  try {
    work();
  } catch {
    // a guest swallows every refusal
  }
  return '{}';
};

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const textOf = (sent: readonly GuestMessage[]): string =>
  sent
    .map((message) => (message.type === 'output-write' ? message.text : ''))
    .map((text) => (typeof text === 'string' ? text : decoder.decode(text)))
    .join('');
const boundsOf = (sent: readonly GuestMessage[]): readonly string[] =>
  sent.flatMap((message) => (message.type === 'output-exceed' ? [message.bound] : []));
const typesOf = (sent: readonly GuestMessage[]): readonly string[] => sent.map((message) => message.type);

test('text beyond the limit is cut, whoever emits it, and the run is told to have exceeded', async () => {
  const sent = await run(({ emit }) => {
    for (let round = 0; round < 10; round += 1) emit(round % 2, 'x'.repeat(900));
    return '{}';
  });
  expect(textOf(sent)).toHaveLength(1000);
  expect(boundsOf(sent)).toEqual(['outputBytes']);
});

test('long texts leave as bytes, in order with the others, each mark kept', async () => {
  const long = `\u{feff}${'é'.repeat(5000)}`;
  const sent = await run(
    ({ emit, emitBytes }) => {
      emit(0, 'a');
      emitBytes(new TextEncoder().encode(long));
      emitBytes(new TextEncoder().encode('\u{feff}b'));
      return '{}';
    },
    { outputBytes: 20_000 },
  );
  expect(textOf(sent)).toBe(`a${long}\u{feff}b`);
});

test('a long text leaves in pieces that end between two characters, as text and as bytes', async () => {
  const long = '\u{1f600}'.repeat(40_000);
  for (const print of [
    ({ emit }: Given) => emit(0, `x${long}`),
    ({ emitBytes }: Given) => emitBytes(new TextEncoder().encode(`x${long}`)),
  ]) {
    const sent = await run((given) => (print(given), '{}'), { outputBytes: 200_000 });
    expect(textOf(sent)).toBe(`x${long}`);
    const pieces = sent.flatMap((message) => (message.type === 'output-write' ? [message.text] : []));
    expect(pieces.length).toBeGreaterThan(1);
    for (const piece of pieces) {
      expect(piece.length).toBeLessThanOrEqual(60_000);
      expect(piece.isWellFormed()).toBe(true);
    }
  }
});

test('bytes beyond the limit are cut, and the run is told to have exceeded', async () => {
  const sent = await run(
    ({ emitBytes }) => {
      for (let round = 0; round < 3; round += 1) emitBytes(new Uint8Array(9000).fill(120));
      return '{}';
    },
    { outputBytes: 10_000 },
  );
  expect(textOf(sent)).toBe('x'.repeat(10_000));
  expect(boundsOf(sent)).toEqual(['outputBytes']);
});

test('what is no text is not sent', async () => {
  const sent = await run(({ emit }) => (emit(0, [new ArrayBuffer(10_000)]), '{}'));
  expect(typesOf(sent)).toEqual(['run-end']);
  expect(await run(() => [new ArrayBuffer(10_000)])).toMatchObject([{ type: 'run-end', result: '' }]);
});

test.each([
  ['bytes', 600, 2],
  ['buffers', 0, 100_001],
])('%s beyond the limit are not kept, and the run is told to have exceeded', async (_name, size, times) => {
  const sent = await run(({ keep }) =>
    attempt(() => {
      for (let round = 0; round < times; round += 1) keep(new Uint8Array(size));
    }),
  );
  expect(sent).toMatchObject([
    { type: 'output-exceed', bound: 'resultBytes' },
    { type: 'run-end', buffers: [] },
  ]);
});

test('a result beyond the limit does not leave', async () => {
  const sent = await run(() => `"${'x'.repeat(200_000)}"`);
  expect(sent).toMatchObject([{ type: 'run-end', result: '{"type":"exceeded","limit":"result"}' }]);
});

test('what is within the limits passes whole', async () => {
  const sent = await run(({ emit, keep }) => {
    emit(0, 'a'.repeat(1000));
    return `[${keep(new Uint8Array(500))},${keep(new Uint8Array(500))}]`;
  });
  expect(textOf(sent)).toHaveLength(1000);
  expect(sent.at(-1)).toMatchObject({ type: 'run-end', result: '[0,1]', buffers: [{}, {}] });
});

test('writes of single characters are gathered, and none is lost', async () => {
  const guest = ({ emit }: Given): string => {
    for (let round = 0; round < 100_000; round += 1) emit(round % 2, 'x');
    return '{}';
  };
  const sent = await run(guest, { outputBytes: 100_000 });
  expect(textOf(sent)).toHaveLength(100_000);
  expect(sent.length).toBeLessThan(150);
});

test('what was gathered leaves in a pause, and what is written after one at once', async () => {
  let seen: readonly GuestMessage[] = [];
  const sent = await runWith(async (runner, soFar) => {
    for (let round = 0; round < 100; round += 1) runner.emit('stdout', 'x');
    runner.emit('stderr', 'e');
    await clock.advance(15);
    expect(soFar).toHaveLength(64);
    await clock.advance(1);
    seen = soFar.slice(64);
    await clock.advance(16);
    runner.emit('stdout', 'y');
    expect(soFar).toHaveLength(67);
    return '{}';
  });
  expect(seen).toMatchObject([{ text: 'x'.repeat(36) }, { text: 'e' }]);
  expect(sent.slice(66)).toMatchObject([{ text: 'y' }, { type: 'run-end' }]);
});

test('the language is asked for what it gathers itself, while its run lasts', async () => {
  const sent: GuestMessage[] = [];
  const runner = new GuestRunner((message) => void sent.push(message), {}, clock);
  const held: string[] = [];
  runner.install({
    ...engineOf(async () => {
      held.push('a');
      runner.watch();
      await clock.advance(16);
      held.push('b');
      runner.watch();
      return '{}';
    }),
    flush: () => runner.emit('stdout', held.splice(0).join('')),
  });
  await runner.receive({ ...sessionRun(1), saving: null });
  await clock.advance(100);
  expect(sent).toMatchObject([{ text: 'a' }, { type: 'run-end' }]);
  expect(held).toEqual(['b']);
});

test('of a burst before a computation that is never done little is held, and its messages are few', async () => {
  const sent = await runWith((runner, soFar) => {
    for (let line = 0; line < 200; line += 1) runner.emit('stdout', `${line}\n`);
    expect(textOf(soFar).split('\n').length - 1).toBeGreaterThan(190);
    return '{}';
  });
  expect(sent.length).toBeLessThan(120);
  const many = await run(
    ({ emit }) => {
      for (let line = 0; line < 200_000; line += 1) emit(line % 2, '\n');
      return '{}';
    },
    { outputBytes: 200_000 },
  );
  expect(textOf(many)).toHaveLength(200_000);
  expect(many.length).toBeLessThan(700);
});

test('an interrupt that overtakes its run ends it before any of it ran, and spares the next', async () => {
  const flag = createInterruptFlag();
  const sent: GuestMessage[] = [];
  const runner = new GuestRunner((message) => void sent.push(message), { interrupt: flag }, clock);
  const signals: number[] = [];
  const guest = (): string => (signals.push(pythonSignalOf(flag)[0]), '{}');
  runner.install(engineOf(guest));
  const bounds = { outputBytes: 1000, resultBytes: 1000 };
  const serve = (run: number): Promise<void> =>
    runner.receive({ type: 'run-start', run, request: new Uint8Array(), buffers: [], ...rest, ...bounds });
  await serve(1);
  raiseInterrupt(flag, 2);
  await serve(2);
  expect(signals).toEqual([0]);
  expect(sent.at(-1)).toMatchObject({ type: 'run-end', run: 2 });
  expect((sent.at(-1) as { result: string }).result).toContain('KeyboardInterrupt');
  await serve(3);
  expect(signals).toEqual([0, 0]);
});

/** Runs what `guest` does with the runner itself. */
async function runWith(
  guest: (runner: GuestRunner, soFar: readonly GuestMessage[]) => unknown,
): Promise<readonly GuestMessage[]> {
  const sent: GuestMessage[] = [];
  const runner = new GuestRunner((message) => void sent.push(message), {}, clock);
  runner.install(engineOf(() => guest(runner, sent)));
  const bounds = { outputBytes: 1000, resultBytes: 1000 };
  await runner.receive({
    type: 'run-start',
    run: 1,
    request: new Uint8Array(),
    buffers: [],
    ...rest,
    ...bounds,
  });
  return sent;
}

const toolCall = { name: 'n', arguments: '[[],[]]', buffers: [], line: null };

test('no more calls of tools leave than the page needs to see that there are too many', async () => {
  const sent = await runWith((runner) => {
    for (let round = 0; round < 10; round += 1) void runner.tools.start(toolCall);
    return '{}';
  });
  expect(typesOf(sent).filter((type) => type === 'tool-call')).toHaveLength(rest.toolCalls + 1);
});

test('arguments beyond the limit do not leave, nor does a call without shared memory wait, nor one after the run', async () => {
  let kept: GuestRunner | undefined;
  const sent = await runWith((runner) => {
    kept = runner;
    attempt(() => runner.tools.start({ ...toolCall, arguments: 'x'.repeat(101) }));
    attempt(() => runner.tools.start({ ...toolCall, buffers: [new ArrayBuffer(101)] }));
    attempt(() => runner.tools.call(toolCall));
    return '{}';
  });
  expect(await kept?.tools.start(toolCall)).toBeUndefined();
  expect(typesOf(sent)).toEqual(['run-end']);
});

test('a call is answered once, by its number; what is left waits no longer than the run', async () => {
  const answers: unknown[] = [];
  const sent = await runWith(async (runner) => {
    const [first, second] = [runner.tools.start(toolCall), runner.tools.start(toolCall)];
    const block = packAnswer('1', []);
    await runner.receive({ type: 'tool-answer', call: 99, answer: block });
    await runner.receive({ type: 'tool-answer', call: 1, answer: block });
    answers.push((await first)?.text);
    void second.then((answer) => answers.push(answer));
    return '{}';
  });
  expect(typesOf(sent)).toEqual(['tool-call', 'tool-call', 'run-end']);
  expect(answers).toEqual([new TextEncoder().encode('1'), undefined]);
});

test('rich values beyond their limits do not leave', async () => {
  const many = await runWith((runner) => {
    for (let round = 0; round < 5; round += 1) runner.display('{}');
    return '{}';
  });
  expect(typesOf(many)).toEqual(['display-write', 'display-write', 'output-exceed', 'run-end']);
  expect(boundsOf(many)).toEqual(['displays']);
  const large = await runWith((runner) => (runner.display('x'.repeat(101)), runner.display({}), '{}'));
  expect(typesOf(large)).toEqual(['output-exceed', 'run-end']);
  expect(boundsOf(large)).toEqual(['displayBytes']);
});

test('nothing is put aside of a run that has lost what the session had', async () => {
  const sent: GuestMessage[] = [];
  const runner = new GuestRunner((message) => void sent.push(message), {}, clock);
  const losing = [true, false];
  runner.install({
    interruptName: 'KeyboardInterrupt',
    run() {
      if (losing.shift()) runner.loseState();
      return '{}';
    },
    save: () => ({ parts: [new ArrayBuffer(1)], names: [], lost: [] }),
  });
  for (const number of [1, 2]) await runner.receive(sessionRun(number));
  expect(typesOf(sent)).toEqual(['run-end', 'run-end', 'session-save']);
});

test('what has not changed is not put aside again; after a run that was interrupted before it began, too, the page hears of it', async () => {
  const sent: GuestMessage[] = [];
  const flag = createInterruptFlag();
  const runner = new GuestRunner((message) => void sent.push(message), { interrupt: flag }, clock);
  const same = [false, true, false];
  runner.install({
    interruptName: 'KeyboardInterrupt',
    run: () => '{}',
    isSame: () => same.shift() as boolean,
    save: () => ({ parts: [new ArrayBuffer(1)], names: [], lost: [] }),
  });
  await runner.receive(sessionRun(1));
  await runner.receive(sessionRun(2));
  raiseInterrupt(flag, 3);
  await runner.receive(sessionRun(3));
  expect(typesOf(sent)).toEqual(['run-end', 'session-save', 'run-end', 'run-end', 'session-save']);
  expect(sent.map((message) => 'isStateSame' in message)).toEqual([false, false, true, false, false]);
});
