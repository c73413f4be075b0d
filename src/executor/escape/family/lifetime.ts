/** Ways to go on after the end: of a run, of a session, of a visit. */
import { sha256Hex, deflateBytes, sleep, systemClock } from '../../../platform/index.ts';
import { silentHub } from '../../../telemetry/index.ts';
import { openHeapImage, packHeapImage, pageBytes } from '../../guest/heap-image.ts';
import { defaultLimits } from '../../limits.ts';
import { SnapshotShelf } from '../../sandbox/snapshot-shelf.ts';
import type { StoredSnapshot } from '../../snapshot-cache.ts';
import type { Session } from '../../executor.ts';
import type { Outcome } from '../../outcome.ts';
import { aimAt, describeEnd } from '../attempt.ts';
import type { EscapeAttempt, Findings, Trial } from '../attempt.ts';
import { answers, beside, contextOf, exceeds, told } from '../beside.ts';
import { inPython, shortMs } from '../write-attempt.ts';

const later = (
  id: string,
  mechanism: string,
  body: string,
  control: 'without walls' | 'absent' = 'without walls',
): EscapeAttempt => inPython('lifetime', { id, mechanism, watcher: 'network', control }, body);

const afterRun: readonly EscapeAttempt[] = [
  beside(
    'lifetime',
    {
      id: 'late-timer',
      language: 'python',
      mechanism: 'a timer of a run that has ended, in the next run of its session',
    },
    (trial) =>
      trial.borrow('python', async (session) => {
        const leave = `import asyncio\nfired_{token} = 0\ndef fire():\n  global fired_{token}\n  fired_{token} = 1\nasyncio.get_running_loop().call_later(0.05, fire)\n`;
        const look = 'import asyncio\nawait asyncio.sleep(0.2)\nfired_{token}';
        const ask = (code: string): Promise<Outcome> =>
          session.execute(aimAt(trial.target, code), {}, { timeoutMs: shortMs });
        const shown = await ask(`${leave}${look}`);
        await ask(`${leave}1`);
        const next = await ask(look);
        return {
          end: describeEnd(next),
          seen: told(!answers(0)(next), 'it went off in the next run'),
          shown: told(answers(1)(shown), 'it went off in its own'),
        };
      }),
  ),
  later(
    'late-finalizer',
    'the finalizer of an object, which the collector calls',
    'import gc\nclass Last:\n  def __init__(self): self.self = self\n  def __del__(self): scope.fetch("{url}")\nLast()\ngc.collect()\n1',
  ),
  later(
    'exit-handler',
    'what is registered to be called at the end of the interpreter',
    'import atexit\natexit.register(lambda: scope.fetch("{url}"))\natexit._run_exitfuncs()\n1',
  ),
  later(
    'thread',
    'a thread that goes on',
    'import threading\nthreading.Thread(target=lambda: scope.fetch("{url}")).start()',
    'absent',
  ),
];

/** In the frame of both, on a channel that only guests of one frame share. */
const channel = 'const channel = new BroadcastChannel(target.token);';
const pinging = `${channel}\nsetInterval(() => channel.postMessage(1), 5);\nguest.end(1)`;
const nestedPinging = `const source = new Blob(['const channel = new BroadcastChannel("' + target.token + '"); setInterval(() => channel.postMessage(1), 5)']);\nnew Worker(URL.createObjectURL(source));\nawait guest.sleep(100);\nguest.end(1)`;
const counting = `${channel}\nlet heard = 0;\nchannel.onmessage = () => { heard += 1 };\nawait guest.sleep(250);\nguest.end(heard)`;

/** A neighbour in the same frame listens, before and after. */
function survivor(id: string, mechanism: string, script: string): EscapeAttempt {
  const scripts = { [id]: script, [`${id}/count`]: counting };
  return beside('lifetime', { id, language: 'worker', mechanism, scripts }, (trial) =>
    trial.withSession('worker', async (listener): Promise<Findings> => {
      const count = async (): Promise<number> => {
        const outcome = await listener.execute(`${id}/count`, contextOf(trial, 'worker'), {
          timeoutMs: shortMs,
        });
        return outcome.type === 'returned' ? Number(outcome.value) : NaN;
      };
      const session = await trial.realm.executors.worker.createSession();
      const outcome = await session.execute(id, contextOf(trial, 'worker'), { timeoutMs: shortMs });
      const before = await count();
      await session[Symbol.asyncDispose]();
      await sleep(systemClock, 300);
      const after = await count();
      return {
        end: `${describeEnd(outcome)}, heard ${before} times, then ${after} times`,
        seen: told(after !== 0, 'it goes on after its end'),
        shown: told(before > 0, 'it was heard before its end'),
      };
    }),
  );
}

const afterDispose: readonly EscapeAttempt[] = [
  survivor('worker-after-dispose', 'a worker whose session was disposed', pinging),
  survivor('nested-worker-after-dispose', 'a worker of a worker whose session was disposed', nestedPinging),
  beside(
    'lifetime',
    {
      id: 'output-after-end',
      language: 'worker',
      mechanism: 'text of a run that was ended, after its outcome',
      scripts: {
        'output-after-end': 'setInterval(() => guest.print("x"), 2);\nfor (;;) await guest.sleep(1000)',
      },
    },
    async (trial) => {
      let parts = 0;
      const onOutput = (): void => void (parts += 1);
      const options = { timeoutMs: 150, onOutput };
      const outcome = await trial.execute('worker', 'output-after-end', {}, options);
      const atEnd = parts;
      await sleep(systemClock, 200);
      return {
        end: describeEnd(outcome),
        seen: told(parts !== atEnd, 'text came after the outcome'),
        shown: told(atEnd > 0 && exceeds('time')(outcome), `${atEnd} pieces came before it`),
      };
    },
  ),
  beside(
    'lifetime',
    {
      id: 'tool-at-dispose',
      language: 'worker',
      mechanism: 'a tool that still works, and a run that waits, when the session is disposed',
      scripts: { 'tool-at-dispose': 'await guest.call()' },
    },
    async (trial) => {
      const signals: AbortSignal[] = [];
      const call = ({ signal }: { signal: AbortSignal }): Promise<null> => {
        signals.push(signal);
        return new Promise(() => undefined);
      };
      const session = await trial.realm.executors.worker.createSession();
      const runs = [1, 2].map(() => session.execute('tool-at-dispose', { tools: { tool: { call } } }));
      while (signals.length === 0) await sleep(systemClock, 5);
      const wasOpen = signals[0]?.aborted === false;
      await session[Symbol.asyncDispose]();
      const ends = (await Promise.all(runs)).map(describeEnd).join();
      const late = await session.execute('honest').then(describeEnd, () => 'refused');
      const isOver = signals.length === 1 && signals[0]?.aborted === true && ends === 'cancelled,cancelled';
      return {
        end: ends,
        seen: told(!isOver || late !== 'refused', `something goes on: ${ends}, then ${late}`),
        shown: told(wasOpen, 'the tool was at work'),
      };
    },
  ),
];

interface Resisting {
  readonly id: string;
  readonly language: 'worker' | 'python' | 'javascript';
  readonly mechanism: string;
  readonly code: string;
  readonly needs?: EscapeAttempt['needs'];
}

/** Who does not stop when asked is ended with the interpreter: that is also what shows that it did resist. */
function resisting({ id, language, mechanism, code, needs = [] }: Resisting): EscapeAttempt {
  const isScript = language === 'worker';
  const plan = { id, language, mechanism, needs, ...(isScript && { scripts: { [id]: code } }) };
  return beside('lifetime', plan, (trial: Trial) =>
    trial.borrow(language, async (session: Session) => {
      const text = isScript ? id : aimAt(trial.target, code);
      const outcome = await session.execute(text, contextOf(trial, language), { timeoutMs: 300 });
      const next = isScript ? 'honest' : '1';
      const after = await session.execute(next, {}, { timeoutMs: shortMs });
      const isOver = exceeds('time')(outcome) && outcome.durationMs < 9000;
      return {
        end: describeEnd(outcome),
        seen:
          told(!isOver, `it went on: ${describeEnd(outcome)} after ${Math.round(outcome.durationMs)} ms`) ??
          told(after.type !== 'returned', `the session did not come back: ${describeEnd(after)}`),
        shown: told(outcome.isSandboxLost, 'it did not stop when asked'),
      };
    }),
  );
}

const whenStopped: readonly EscapeAttempt[] = [
  resisting({
    id: 'signal-ignored',
    language: 'python',
    mechanism: 'the signal by which it is asked to stop is ignored',
    code: 'import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass',
  }),
  resisting({
    id: 'sleep-in-python',
    language: 'python',
    mechanism: "Python's own sleep, in the place of the one that looks at the flag",
    code: 'import time\ntime.sleep.__wrapped__(100)',
  }),
  resisting({
    id: 'flag-cleared',
    language: 'worker',
    mechanism: 'the flag in shared memory by which it is asked to stop is cleared without end',
    needs: ['shared memory'],
    code: 'const cells = new Int32Array(guest.boot.interrupt);\nfor (;;) Atomics.store(cells, 0, 0)',
  }),
  resisting({
    id: 'thread-asleep',
    language: 'worker',
    mechanism: 'a thread that sleeps in shared memory, and hears no message',
    needs: ['shared memory'],
    code: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
  }),
  beside(
    'lifetime',
    {
      id: 'js-timer-after-run',
      language: 'javascript',
      mechanism: 'a repeated timer of the interpreter, in the next run of its session',
    },
    (trial) =>
      trial.withSession('javascript', async (session) => {
        const first = await session.execute(
          'setInterval(() => console.log("tick"), 5)\nawait new Promise((done) => setTimeout(done, 60))',
        );
        const next = await session.execute('await new Promise((done) => setTimeout(done, 60))');
        return {
          end: describeEnd(next),
          seen: told(next.stdout !== '', 'it prints in the next run'),
          shown: told(first.stdout.includes('tick'), 'it printed in its own'),
        };
      }),
  ),
];

const build = 'b'.repeat(64);

async function store(image: Uint8Array, change: Partial<StoredSnapshot> = {}): Promise<StoredSnapshot> {
  const packed = await deflateBytes(image, 'gzip');
  return {
    build,
    madeAtMs: systemClock.now(),
    digest: await sha256Hex(packed),
    content: new Blob([packed]),
    ...change,
  };
}

async function isTaken(record: unknown): Promise<boolean> {
  const shelf = new SnapshotShelf({
    cache: {
      read: () => Promise.resolve([record]),
      write: () => Promise.resolve(),
      delete: () => Promise.resolve(),
    },
    limits: { ...defaultLimits, snapshotReadMs: 20_000 },
    clock: systemClock,
    hub: silentHub,
  });
  return (await shelf.take('python', Promise.resolve(build))) !== undefined;
}

/** A snapshot of an interpreter that somebody else has put into the cache. */
function snapshot(
  id: string,
  mechanism: string,
  forge: (honest: StoredSnapshot, image: Uint8Array) => Promise<unknown>,
): EscapeAttempt {
  return beside('lifetime', { id, language: 'python', mechanism }, async () => {
    const image = new Uint8Array(4096).fill(7);
    const honest = await store(image);
    const isForgedTaken = await isTaken(await forge(honest, image));
    return {
      end: isForgedTaken ? 'taken' : 'dropped',
      seen: told(isForgedTaken, 'an interpreter would start from it'),
      shown: told(await isTaken(honest), 'an honest one was taken'),
    };
  });
}

const snapshots: readonly EscapeAttempt[] = [
  snapshot('snapshot-changed', 'a snapshot whose bytes were changed', async ({ content, ...rest }) => {
    const bytes = new Uint8Array(await content.arrayBuffer());
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
    return { ...rest, content: new Blob([bytes]) };
  }),
  snapshot(
    'snapshot-cut-off',
    'a snapshot that ends early, its digest right again',
    async ({ content, ...rest }) => {
      const half = new Uint8Array(await content.slice(0, content.size / 2).arrayBuffer());
      return { ...rest, digest: await sha256Hex(half), content: new Blob([half]) };
    },
  ),
  snapshot('snapshot-other-build', 'a snapshot of another build', (honest) =>
    Promise.resolve({ ...honest, build: 'c'.repeat(64) }),
  ),
  snapshot('snapshot-bomb', 'a snapshot of few bytes that becomes many', () =>
    store(new Uint8Array(66 * 2 ** 20)),
  ),
  snapshot('snapshot-from-tomorrow', 'a snapshot that never grows old', (honest) =>
    Promise.resolve({ ...honest, madeAtMs: honest.madeAtMs + 1e12 }),
  ),
  snapshot('snapshot-no-record', 'a record whose fields are of other types', (honest) =>
    Promise.resolve({ ...honest, content: { size: 1, arrayBuffer: () => new ArrayBuffer(1) } }),
  ),
  beside(
    'lifetime',
    {
      id: 'snapshot-impossible',
      language: 'python',
      mechanism: 'an image of memory whose pages lie outside of it',
    },
    () => {
      const opens = (image: ArrayBuffer): boolean => {
        try {
          openHeapImage(image);
          return true;
        } catch {
          return false;
        }
      };
      const honest = packHeapImage(new Uint8Array(8), new Uint8Array(2 * pageBytes).fill(1), []).buffer;
      const forged = [3, 4].map((cell) => {
        const image = honest.slice(0);
        new Uint32Array(image)[cell] = 2 ** 31;
        return image;
      });
      const isOpened = [...forged, honest.slice(0, -4)].some(opens);
      return Promise.resolve({
        end: isOpened ? 'opened' : 'refused',
        seen: told(isOpened, 'memory would be written from it'),
        shown: told(opens(honest), 'an honest one was opened'),
      });
    },
  ),
];

export const lifetimeAttempts: readonly EscapeAttempt[] = [
  ...afterRun,
  ...afterDispose,
  ...whenStopped,
  ...snapshots,
];
