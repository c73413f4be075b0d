/** Ways from one guest to another: in its session, its frame, its worker, or a frame beside its own. */
import type { ExecutionContext } from '../../executor.ts';
import type { Outcome } from '../../outcome.ts';
import { describeEnd } from '../attempt.ts';
import type { EscapeAttempt } from '../attempt.ts';
import { answers, beside, contextOf, exceeds, poisoning, textFrom, told } from '../beside.ts';
import { inWorker, shortMs } from '../write-attempt.ts';
import { inModule } from './wasm-text.ts';

const between: readonly EscapeAttempt[] = [
  poisoning(
    'leaks',
    { id: 'sibling-variables', language: 'python', mechanism: 'the variables of another session' },
    { code: 'stolen = "{token}"', look: '"stolen" in globals()', mark: true },
  ),
  poisoning(
    'leaks',
    { id: 'sibling-objects', language: 'python', mechanism: 'every object that the collector knows' },
    {
      code: 'class Stolen: pass\nkept = Stolen()',
      look: 'import gc\nany(type(thing).__name__ == "Stolen" for thing in gc.get_objects())',
      mark: true,
    },
  ),
  poisoning(
    'leaks',
    { id: 'sibling-tables', language: 'sql', mechanism: 'the tables of another session' },
    {
      code: 'CREATE TABLE stolen (a); INSERT INTO stolen VALUES (1)',
      look: "SELECT count(*) AS n FROM sqlite_schema WHERE name = 'stolen'",
      mark: { columns: ['n'], rows: [[1]] },
    },
  ),
  poisoning(
    'leaks',
    { id: 'sibling-module', language: 'wat', mechanism: 'the module, and its globals, of another session' },
    {
      code: '(module (global $g (mut i32) (i32.const 0)) (func (export "main") (result i32) (global.set $g (i32.const 5)) (i32.const 77123)) (func (export "look") (result i32) (global.get $g)))',
      look: '',
      mark: 77123,
    },
  ),
];

const environment = beside(
  'leaks',
  {
    id: 'sibling-environment',
    language: 'python',
    mechanism: "another session's environment, through the runtime's own table of it",
  },
  (trial) =>
    trial.withSession('python', async (own) => {
      const look =
        'import importlib, os\nctypes = importlib.import_module("ctypes")\nget = ctypes.CDLL(None).getenv\nget.restype = ctypes.c_char_p\nstr(dict(os.environ)) + str(get(b"HELD"))';
      const handed = { environment: { HELD: trial.target.token } };
      const holds = (outcome: Outcome): boolean => JSON.stringify(outcome).includes(trial.target.token);
      const shown = await own.execute(look, handed, { timeoutMs: shortMs });
      const outcome = await trial.borrow('python', (other) =>
        other.execute(look, {}, { timeoutMs: shortMs }),
      );
      return {
        end: describeEnd(outcome),
        seen: told(holds(outcome), 'a neighbour reads it'),
        shown: told(holds(shown), 'its own session reads it'),
      };
    }),
);

const numbers = beside(
  'leaks',
  {
    id: 'sibling-randomness',
    language: 'python',
    mechanism: "another session's random numbers, known before they are drawn",
  },
  (trial) =>
    trial.withSession('python', async (own) => {
      const draw = 'import random, os, uuid\n[random.random(), os.urandom(8).hex(), str(uuid.uuid4())]';
      const seeded = 'import random\nrandom.Random(1).random()';
      const ask = (code: string): Promise<readonly [Outcome, Outcome]> =>
        Promise.all([own.execute(code), trial.borrow('python', (other) => other.execute(code))]);
      const drawn = (await ask(draw)).map((one) => (one.type === 'returned' ? (one.value as unknown[]) : []));
      const [mine, theirs] = drawn as [unknown[], unknown[]];
      const [first, second] = await ask(seeded);
      const isSame = first.type === 'returned' && second.type === 'returned' && first.value === second.value;
      return {
        end: 'returned',
        seen: told(
          mine.length === 0 || mine.some((value, index) => value === theirs[index]),
          'both drew the same',
        ),
        shown: told(isSame, 'with one seed they are the same'),
      };
    }),
);

/** One-shot runs share workers where the language can be renewed. */
const renewed: readonly EscapeAttempt[] = [
  beside(
    'leaks',
    {
      id: 'renewed-worker',
      language: 'javascript',
      mechanism: 'what one run leaves in a worker that the next one gets: globals, prototypes, files',
    },
    async (trial) => {
      const look =
        'import fs from "fs"\n;[typeof globalThis.left, [].left ?? 0, fs.existsSync("left")].join()';
      const leave =
        'import fs from "fs"\nglobalThis.left = 1\nArray.prototype.left = 1\nfs.writeFileSync("left", "1")\n;[typeof globalThis.left, [].left ?? 0, fs.existsSync("left")].join()';
      const shown = await trial.execute('javascript', leave);
      const after: Outcome[] = [];
      for (let round = 0; round < 4; round += 1) after.push(await trial.execute('javascript', look));
      return {
        end: describeEnd(shown),
        seen: told(!after.every(answers('undefined,0,false')), 'a later run finds it'),
        shown: told(answers('number,1,true')(shown), 'its own run finds it'),
      };
    },
  ),
  beside(
    'leaks',
    {
      id: 'stale-memory',
      language: 'wat',
      mechanism: 'memory that was given back, as it comes to the next one',
    },
    (trial) =>
      trial.borrow('wat', async (session) => {
        const scan =
          '(loop $next (if (i32.eq (i32.load (local.get $i)) (i32.const 0x5ec4e7)) (then (local.set $n (i32.add (local.get $n) (i32.const 1))))) (local.set $i (i32.add (local.get $i) (i32.const 4))) (br_if $next (i32.lt_u (local.get $i) (i32.const 6553600)))) (local.get $n)';
        const grow = '(drop (memory.grow (i32.const 100)))';
        const shown = await session.execute(
          inModule([], `${grow} (i32.store (i32.const 70000) (i32.const 0x5ec4e7)) ${scan}`),
        );
        const outcome = await session.execute(inModule([], `${grow} ${scan}`));
        return {
          end: describeEnd(outcome),
          seen: told(!answers(0)(outcome), 'the next module finds it'),
          shown: told(answers(1)(shown), 'its own module finds it'),
        };
      }),
  ),
];

const listening =
  'const channel = new BroadcastChannel("between frames");\nlet heard = "";\nchannel.onmessage = ({ data }) => { heard += data };\nfor (let i = 0; i < 40 && !heard; i += 1) await guest.sleep(10);\nguest.end(heard)';
const speaking =
  'const channel = new BroadcastChannel("between frames");\nfor (let i = 0; i < 40; i += 1) { channel.postMessage(target.token); await guest.sleep(10) }';

const frames = beside(
  'leaks',
  {
    id: 'sibling-frame-channel',
    language: 'worker',
    mechanism: 'a channel between guests of two trust domains',
    scripts: { 'sibling-frame-channel': speaking, 'sibling-frame-channel/listen': listening },
  },
  async (trial) => {
    await using other = trial.realm.open('worker');
    const here = trial.realm.executors.worker;
    const speak = here.execute('sibling-frame-channel', contextOf(trial, 'worker'));
    const [far, near] = await Promise.all(
      [other, here].map((executor) => executor.execute('sibling-frame-channel/listen')),
    );
    await speak;
    const heard = (outcome: Outcome | undefined): boolean => textFrom(outcome).includes(trial.target.token);
    return {
      end: far ? describeEnd(far) : '',
      seen: told(heard(far), 'a guest of another domain hears it'),
      shown: told(heard(near), 'a guest of its own domain hears it'),
    };
  },
);

const blobs = beside(
  'leaks',
  {
    id: 'sibling-frame-blob',
    language: 'worker',
    mechanism: 'the address of a script that a guest of another trust domain has made',
    scripts: {
      'sibling-frame-blob':
        'const source = new Blob(["postMessage(1)"]);\nguest.end(URL.createObjectURL(source))',
      'sibling-frame-blob/use':
        'const { address, waits } = JSON.parse(new TextDecoder().decode(guest.command.request)).variables;\nlet seen = "nothing";\ntry { const nested = new Worker(address); nested.onmessage = () => { seen = "ran" } } catch {}\nfor (let i = 0; i < waits && seen !== "ran"; i += 1) await guest.sleep(20);\nguest.end(seen)',
    },
  },
  (trial) =>
    trial.withSession('worker', async (own) => {
      await using other = trial.realm.open('worker');
      const made = await own.execute('sibling-frame-blob');
      const address = textFrom(made);
      // a worker of a worker takes its time to start on a busy machine; where it should not, silence is short
      const use = (waits: number): ExecutionContext => ({ variables: { address, waits } });
      const [far, near] = await Promise.all([
        other.execute('sibling-frame-blob/use', use(25)),
        own.execute('sibling-frame-blob/use', use(300)),
      ]);
      return {
        end: describeEnd(far),
        seen: told(answers('ran')(far), 'a guest of another domain ran it'),
        shown: told(answers('ran')(near), 'its maker ran it'),
      };
    }),
);

const busy = beside(
  'leaks',
  {
    id: 'busy-neighbour',
    language: 'worker',
    mechanism: 'a guest that never rests, beside one that works',
    scripts: { 'busy-neighbour': 'for (;;);' },
  },
  async (trial) => {
    let isBusy = true;
    const running = trial.execute('worker', 'busy-neighbour', {}, { timeoutMs: 1500 }).finally(() => {
      isBusy = false;
    });
    const next = await trial.execute('javascript', '1 + 1');
    const wasBusy = isBusy;
    const outcome = await running;
    return {
      end: describeEnd(outcome),
      seen: told(!answers(2)(next) || !wasBusy, `the neighbour had to wait: ${describeEnd(next)}`),
      shown: told(exceeds('time')(outcome), 'it was busy to its end'),
    };
  },
);

const kept = beside(
  'leaks',
  {
    id: 'kept-buffer',
    language: 'worker',
    mechanism: 'a buffer that the guest goes on to write after it was handed over',
    scripts: {
      'kept-buffer':
        'const buffer = new ArrayBuffer(8);\nguest.post({ type: "run-end", run: guest.run, result: `{"type":"returned","value":{"$":"bytes","b":0},"variables":[]}`, buffers: [buffer], isStateLost: false });\nguest.end = guest.fail = () => undefined;\nfor (let i = 0; i < 50; i += 1) { new Uint8Array(buffer).fill(255); await guest.sleep(5) }',
    },
  },
  (trial) =>
    trial.withSession('worker', async (session) => {
      const outcome = await session.execute('kept-buffer', contextOf(trial, 'worker'));
      const value = outcome.type === 'returned' ? outcome.value : null;
      const hasArrived = value instanceof Uint8Array;
      await session.execute('wait');
      return {
        end: describeEnd(outcome),
        seen: told(hasArrived && value.some((byte) => byte !== 0), 'the page sees what was written later'),
        shown: told(hasArrived, 'it arrived'),
      };
    }),
);

/** Only the guest can tell what it has found. */
const device = (id: string, mechanism: string, look: string): EscapeAttempt =>
  inWorker(
    'leaks',
    { id, mechanism, watcher: 'print', control: 'without walls' },
    `if (${look}) guest.print(target.token.toUpperCase())`,
  );

const machine: readonly EscapeAttempt[] = [
  device('device-usb', 'the devices at the ports of the machine', 'await navigator.usb.getDevices()'),
  device('device-serial', 'the serial lines of the machine', 'await navigator.serial.getPorts()'),
  device('device-gpu', 'the graphics processor of the machine', 'navigator.gpu !== undefined'),
];

export const leakAttempts: readonly EscapeAttempt[] = [
  ...machine,
  ...between,
  environment,
  numbers,
  ...renewed,
  frames,
  blobs,
  busy,
  kept,
];
