import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../platform/index.ts';
import { createHub, createMemorySink } from '../../../telemetry/index.ts';
import type { Executor, OutputPart, Session } from '../../executor.ts';
import { valueOf } from '../../laws/open-executor.contract.ts';
import { openSnapshotCache } from '../../snapshot-cache.ts';
import type { Tool } from '../../tool.ts';
import { createPythonExecutor } from './python-executor.ts';

const assets = { baseUrl: '/sandbox/' };
const snapshots = openSnapshotCache('leavings-test');
const never: Tool = { call: () => new Promise(() => undefined) };
let executor: Executor;
let session: Session;

beforeAll(async () => {
  executor = createPythonExecutor({ assets, frame: 'srcdoc', limits: { wallTimeMs: 20_000 } });
  session = await executor.createSession();
});
afterAll(async () => {
  await executor[Symbol.asyncDispose]();
  await snapshots.delete('python');
});

/** Lets the loop of a later run turn. */
const turn = 'import asyncio\nfor _ in range(20): await asyncio.sleep(0)\nawait asyncio.sleep(0.03)\n';

test.each([
  [
    'a task',
    'async def work():\n  while True:\n    count()\n    await asyncio.sleep(0)\nt = asyncio.create_task(work())',
  ],
  [
    'a task that will not end',
    'async def work():\n  while True:\n    count()\n    try: await asyncio.sleep(0.001)\n    except BaseException: pass\nt = asyncio.create_task(work())',
  ],
  [
    'a callback that calls itself',
    'def work():\n  count()\n  asyncio.get_event_loop().call_soon(work)\nwork()',
  ],
  ['a timer', 'def work():\n  count()\n  asyncio.get_event_loop().call_later(0.005, work)\nwork()'],
  [
    'a timer of the platform',
    'js = __import__("js")\nffi = __import__("pyodide.ffi", fromlist=["ffi"])\ndef work():\n  count()\n  js.setTimeout(p, 5)\np = ffi.create_proxy(work)\nwork()',
  ],
])('%s that a run leaves behind costs a later run nothing', async (_name, start) => {
  const counter = 'import asyncio\nn = 0\ndef count():\n  global n\n  n += 1\n';
  for (const rest of ['', '\nawait asyncio.sleep(0.02)']) {
    const first = await session.execute(counter + start + rest);
    expect(first).toMatchObject({ type: 'returned', stderr: '' });
    const before = await valueOf(session, 'n');
    expect(await session.execute(`${turn}n`)).toMatchObject({ value: before, stderr: '' });
  }
});

test('a task that is left behind is told, ends with its run, and is a cancelled one in the next', async () => {
  const code = [
    'import asyncio',
    'async def work():',
    '  try: await asyncio.sleep(100)',
    '  finally:',
    '    await asyncio.sleep(0)',
    '    print("ended")',
    't = asyncio.create_task(work())',
    'await asyncio.sleep(0)',
    '1',
  ].join('\n');
  expect(await session.execute(code)).toMatchObject({ type: 'returned', value: 1, stdout: 'ended\n' });
  const next = 'try:\n  await t\nexcept asyncio.CancelledError:\n  c = True\n[c, t.cancelled()]';
  expect(await session.execute(next)).toMatchObject({ value: [true, true], stderr: '' });
});

test('an error ends the run and its tasks, and stays the outcome', async () => {
  const code =
    'import asyncio\nt = asyncio.create_task(asyncio.sleep(100))\nawait asyncio.sleep(0)\nraise ValueError("v")';
  expect(await session.execute(code)).toMatchObject({
    type: 'threw',
    error: { type: 'ValueError', line: 4 },
  });
  expect(await valueOf(session, 't.cancelled()')).toBe(true);
  const plain = 'import asyncio\nt = asyncio.create_task(asyncio.sleep(100))\n1 / 0';
  expect(await session.execute(plain)).toMatchObject({ error: { type: 'ZeroDivisionError', line: 3 } });
  expect(await valueOf(session, 't.cancelled()')).toBe(true);
});

/** How runs end that are stopped at slightly different moments. */
async function endings(from: Session, code: string): Promise<readonly unknown[]> {
  const seen = new Set<string>();
  for (let round = 0; round < 8; round += 1) {
    const outcome = await from.execute(code, { tools: { never } }, { timeoutMs: 15 + round });
    const { type, stdout, stderr, isSandboxLost } = outcome;
    seen.add(JSON.stringify({ type, stdout, stderr, isSandboxLost }));
  }
  return [...seen].map((text) => JSON.parse(text) as unknown);
}

async function expectCleanEnds(from: Session): Promise<void> {
  await from.execute('import asyncio\nkept = 1');
  for (const code of [
    'await never()',
    'await asyncio.gather(never(), never())',
    'await asyncio.sleep(100)',
  ]) {
    expect(await endings(from, code)).toEqual([
      { type: 'exceeded', stdout: '', stderr: '', isSandboxLost: false },
    ]);
  }
  expect(await valueOf(from, 'kept')).toBe(1);
}

test('a run that ends at its deadline while it waits prints nothing of its own, and the session keeps its variables', async () => {
  await expectCleanEnds(session);
});

test('so it is in an interpreter that started from a snapshot', async () => {
  const options = { assets, frame: 'srcdoc', snapshots, limits: { warmSandboxes: 0 } } as const;
  const hub = createHub(systemClock);
  const sink = createMemorySink(hub);
  await using first = createPythonExecutor({ ...options, hub });
  await valueOf(first, '1');
  await expect.poll(() => sink.ofType('snapshot-make').length, { timeout: 30_000 }).toBe(1);
  await using restored = await first.createSession();
  await expectCleanEnds(restored);
  expect(sink.ofType('sandbox-start').at(-1)).toMatchObject({ isFromSnapshot: true });
}, 60_000);

const submitting = 'import asyncio\nasync def work():\n  SUBMIT(answer=5)\n';
test.each([
  ['a task', 't = asyncio.create_task(work())\nawait asyncio.sleep(100)'],
  ['a task that is waited for', 'await asyncio.create_task(work())'],
  [
    'a task that a group has',
    'async with asyncio.TaskGroup() as g:\n  g.create_task(work())\n  g.create_task(asyncio.sleep(100))',
  ],
  [
    'a task below asyncio.run',
    'async def main():\n  t = asyncio.create_task(work())\n  await asyncio.sleep(100)\nasyncio.run(main())',
  ],
  ['tasks that are gathered', 'await asyncio.gather(work(), asyncio.sleep(100))'],
  [
    'a callback',
    'asyncio.get_event_loop().call_later(0.01, lambda: SUBMIT(answer=5))\nawait asyncio.sleep(100)',
  ],
  ['a task that the run leaves behind', 't = asyncio.create_task(work())\nawait asyncio.sleep(0.01)'],
])('SUBMIT in %s ends the run with its answer', async (_name, rest) => {
  const outcome = await session.execute(submitting + rest);
  expect(outcome).toMatchObject({ type: 'submitted', value: { answer: 5 }, stderr: '' });
  // nor is it told when the task is gone
  const later = await session.execute('t = g = None\nimport gc\ngc.collect()\n1');
  expect(later).toMatchObject({ type: 'returned', value: 1 });
  expect(later.stderr).not.toContain('Submission');
});

test.each([
  ['lines', 'for n in range(200): print(n)', '\n199\n'],
  ['a line that has not ended', 'print("...", end="")', '...'],
])('what was printed before a pause arrives in it: %s', async (_name, print, last) => {
  let text = '';
  const seen = new Promise<void>((resolve) => {
    const onOutput = (part: OutputPart): void => {
      text += part.text;
      if (text.endsWith(last)) resolve();
    };
    const code = `import asyncio\nawait asyncio.sleep(0)\n${print}\nawait asyncio.sleep(100)`;
    void session.execute(code, {}, { onOutput }).then((outcome) => (text = outcome.type));
  });
  await seen;
  expect(text.endsWith(last)).toBe(true);
  session.interrupt();
});
