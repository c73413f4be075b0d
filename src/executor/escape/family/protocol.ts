/** Messages that no honest guest sends. Who sends them has left the interpreter and has the worker, and its port to the page, in hand. */
import type { Outcome } from '../../outcome.ts';
import { serveSandboxes } from '../../guest/sandbox-server.ts';
import { sleep, systemClock } from '../../../platform/index.ts';
import { describeEnd } from '../attempt.ts';
import type { EscapeAttempt, Findings, Trial } from '../attempt.ts';
import { answers, beside, breaksProtocol, contextOf, ended, exceeds, textFrom, told } from '../beside.ts';
import { shortMs } from '../write-attempt.ts';

const honest = 'guest.end("honest")';

/** A script whose message must end its interpreter as broken: that is what shows that the page has read it. */
function broken(
  id: string,
  mechanism: string,
  body: string,
  needs: EscapeAttempt['needs'] = [],
): EscapeAttempt {
  const scripts = { [id]: `${body}\nguest.end(target.token)` };
  return beside('protocol', { id, language: 'worker', mechanism, scripts, needs }, async (trial) => {
    const outcome = await trial.execute('worker', id, contextOf(trial, 'worker'), { timeoutMs: shortMs });
    const next = await trial.execute('worker', 'honest');
    const isIgnored = !breaksProtocol(outcome);
    return {
      end: describeEnd(outcome),
      seen:
        told(isIgnored, `the run ended as ${describeEnd(outcome)}`) ??
        told(!answers('honest')(next), 'the next guest was disturbed'),
      shown: told(!isIgnored, 'the page has read it'),
    };
  });
}

/** Two runs of one session: what the first sends must not become the second's. */
function foreign(id: string, mechanism: string, body: string): EscapeAttempt {
  const scripts = { [id]: body };
  return beside('protocol', { id, language: 'worker', mechanism, scripts }, (trial) =>
    trial.withSession('worker', async (session): Promise<Findings> => {
      const first = await session.execute(id, contextOf(trial, 'worker'), { timeoutMs: shortMs });
      const next = await session.execute('wait', {}, { timeoutMs: shortMs });
      const isForged = JSON.stringify(next).includes(trial.target.token);
      return {
        end: describeEnd(first),
        seen:
          told(isForged, 'the next run has what this one sent') ??
          told(!answers('honest')(next), `the next run ended as ${describeEnd(next)}`),
        shown: told(answers('honest')(next), 'the same message under the right number was taken'),
      };
    }),
  );
}

/** A result that must not be read as it is meant, and one like it that is. */
function result(
  id: string,
  mechanism: string,
  scripts: { readonly forged: string; readonly honest: string },
  holds: (outcome: Outcome) => boolean = breaksProtocol,
): EscapeAttempt {
  const named = { [id]: scripts.forged, [`${id}/honest`]: scripts.honest };
  return beside('protocol', { id, language: 'worker', mechanism, scripts: named }, async (trial) => {
    const run = (script: string): Promise<Outcome> =>
      trial.execute('worker', script, contextOf(trial, 'worker'), { timeoutMs: shortMs });
    const shown = await run(`${id}/honest`);
    const outcome = await run(id);
    return {
      end: describeEnd(outcome),
      seen: told(!holds(outcome), `the run ended as ${describeEnd(outcome)}`),
      shown: told(ended('returned')(shown), 'an honest one was read'),
    };
  });
}

/** Some engines visit every place of a list that is posted: one of four billion would keep the guest itself, and nobody else, beyond its time. */
const sparseList = `
const buffers = [];
buffers.length = 2 ** 22;
const startMs = Date.now();
new MessageChannel().port1.postMessage(buffers);
if (Date.now() - startMs < 4) buffers.length = 4e9;
guest.post({ type: 'run-end', run: guest.run, result: '{}', buffers, isStateLost: false });`;

const garbage: readonly EscapeAttempt[] = [
  broken(
    'message-no-object',
    'a message that is no object',
    'guest.post(5); guest.post(null); guest.post([])',
  ),
  broken(
    'message-inherited-type',
    'a type that every object inherits',
    'for (const type of ["__proto__", "constructor", "toString", "hasOwnProperty"]) guest.post({ type })',
  ),
  broken(
    'message-boxed-fields',
    'fields that look like what they should be: boxed texts, numbers that are none',
    'guest.post({ type: "output-write", run: NaN, stream: "stdout", text: new String("x") })',
  ),
  broken(
    'message-shared-memory',
    'memory that the guest goes on to change while the page reads it',
    'guest.post({ type: "run-end", run: guest.run, result: "{}", buffers: [guest.boot.interrupt], isStateLost: false })',
    ['shared memory'],
  ),
  broken(
    'message-sparse-list',
    'a list of buffers of millions of places, billions where the browser carries them, and no memory',
    sparseList,
  ),
  broken(
    'message-snapshot',
    'a snapshot that nobody asked for',
    'const content = new ArrayBuffer(64); guest.post({ type: "snapshot-ready", content }, [content])',
  ),
  broken(
    'message-long-name',
    'a call of a tool whose name has a million letters',
    'guest.post(guest.toolCall({ name: "t".repeat(1e6) }))',
  ),
];

const numbers: readonly EscapeAttempt[] = [
  foreign(
    'result-ahead',
    'the result of a run that has not begun',
    'for (let run = guest.run + 1; run < guest.run + 50; run += 1) guest.post({ type: "run-end", run, result: JSON.stringify({ type: "returned", value: target.token, variables: [] }), buffers: [], isStateLost: false })',
  ),
  foreign(
    'result-twice',
    'a second result, and text, of a run that has ended',
    'const again = () => { guest.print(target.token); guest.sendResult({ type: "returned", value: target.token, variables: [] }) }\nsetTimeout(again, 20); setTimeout(again, 60)',
  ),
  foreign(
    'boot-again',
    'a worker that says in the middle of a run that it has just started, and that it could not',
    'guest.post({ type: "sandbox-ready" }); guest.post({ type: "sandbox-fail", message: target.token })',
  ),
];

const results: readonly EscapeAttempt[] = [
  result('buffer-twice', 'one buffer that is to become many values', {
    forged: 'const twice = { $: "bytes", b: 0 }; guest.end([twice, twice], [new ArrayBuffer(8)])',
    honest: 'guest.end([{ $: "bytes", b: 0 }], [new ArrayBuffer(8)])',
  }),
  result('array-inherited-type', 'an array of a type that every table inherits', {
    forged: 'guest.end({ $: "array", t: "constructor", b: 0 }, [new ArrayBuffer(8)])',
    honest: 'guest.end({ $: "array", t: "d", b: 0 }, [new ArrayBuffer(8)])',
  }),
  result(
    'tree-depth',
    'a value a hundred thousand levels deep',
    {
      forged:
        'guest.post({ type: "run-end", run: guest.run, result: `{"type":"returned","variables":[],"value":${"[".repeat(1e5)}${"]".repeat(1e5)}}`, buffers: [], isStateLost: false })',
      honest: 'guest.end([[[[[1]]]]])',
    },
    (outcome) => breaksProtocol(outcome) || exceeds('result')(outcome),
  ),
  result('unknown-tag', 'a value of a kind that does not exist', {
    forged: 'guest.end({ $: "function", v: "() => 1" })',
    honest: 'guest.end({ $: "int", v: "0x1" })',
  }),
  result('result-of-nothing', 'a result whose kind every object inherits', {
    forged: 'guest.sendResult({ type: "constructor", value: 1, variables: [] })',
    honest: 'guest.sendResult({ type: "returned", value: 1, variables: [] })',
  }),
];

/** The page reads messages one by one: without end they would keep it from everything else. */
const flood = (id: string, mechanism: string, message: string): EscapeAttempt =>
  broken(
    id,
    mechanism,
    `for (let sent = 0; sent < 1e6; sent += 1) {\n  guest.post(${message});\n  if (sent % 5000 === 4999) await guest.sleep(1);\n}`,
  );

const floods: readonly EscapeAttempt[] = [
  flood(
    'message-flood-empty',
    'text without letters, again and again, which no bound on output counts',
    '{ type: "output-write", run: guest.run, stream: "stdout", text: "" }',
  ),
  flood(
    'message-flood-unheard',
    'messages that the page drops one by one, in the name of no run',
    '{ type: "output-write", run: 0, stream: "stdout", text: "x" }',
  ),
];

/** Messages to the frame's window, which ends whoever sends one. */
const toFrame = beside(
  'protocol',
  {
    id: 'frame-commands',
    language: 'worker',
    mechanism: 'commands to the window that holds all workers',
    scripts: {
      'frame-commands': `
const { port1, port2 } = new MessageChannel();
port1.onmessage = ({ data }) => guest.end(JSON.stringify(data));
for (const command of [
  { type: 'frame-connect' }, { type: 'frame-ping', command: 1 }, { type: 'guest-load', guest: 1, worker: 'postMessage(1)', assets: [] },
]) { globalThis.postMessage(command); }
globalThis.postMessage({ type: 'frame-connect' }, [port2]);
await guest.sleep(200);
guest.end('still here');`,
    },
  },
  async (trial) => {
    const options = { timeoutMs: 600 };
    const outcome = await trial.execute('worker', 'frame-commands', contextOf(trial, 'worker'), options);
    const next = await trial.execute('worker', 'honest');
    return {
      end: describeEnd(outcome),
      seen:
        told(!exceeds('time')(outcome), 'the frame let it go on') ??
        told(!answers('honest')(next), 'a neighbour was disturbed'),
      shown: told(await obeysPort(), 'the same command by its port was obeyed'),
    };
  },
);

async function obeysPort(): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  using _realm = serveSandboxes(port2);
  const answered = new Promise<boolean>((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<{ type?: unknown }>) =>
      data.type === 'command-done' && resolve(true);
  });
  port1.postMessage({ type: 'frame-ping', command: 1 });
  return await Promise.race([answered, sleep(systemClock, 2000).then(() => false)]);
}

const ownName = beside(
  'protocol',
  {
    id: 'sandbox-name',
    language: 'worker',
    mechanism: 'the name under which the page and the frame speak of the guest',
    scripts: {
      'sandbox-name':
        'const seen = new Set()\nconst write = (value) => JSON.stringify(value, (key, item) => { if (typeof item === "object" && item) { if (seen.has(item)) return null; seen.add(item) } return item })\nguest.end(write([guest.boot, guest.command, self.name, String(location)]))',
    },
  },
  (trial) =>
    trial.withSession('worker', async (session) => {
      const outcome = await session.execute('sandbox-name', contextOf(trial, 'worker'));
      const text = textFrom(outcome);
      return {
        end: describeEnd(outcome),
        seen: told(text.includes(session.id), 'the guest knows its name'),
        shown: told(text.includes('run-start'), 'it tells everything else that it was sent'),
      };
    }),
);

/** In Python, where the port is behind the runner. */
function fromPython(id: string, mechanism: string, body: string): EscapeAttempt {
  return beside('protocol', { id, language: 'python', mechanism }, async (trial: Trial) => {
    const code = `import importlib
js, ffi = (importlib.import_module(name) for name in ('js', 'pyodide.ffi'))
to_js = lambda value: ffi.to_js(value, dict_converter=js.Object.fromEntries)
forged = to_js({"type": "run-end", "run": 2, "result": '{"type":"returned","value":"${trial.target.token}","variables":[]}', "buffers": [], "isStateLost": False})
${body}
1`;
    return trial.withSession('python', async (session) => {
      const outcome = await session.execute(code, {}, { timeoutMs: shortMs });
      const next = await session.execute('"plain"', {}, { timeoutMs: shortMs });
      const taken = await trial.execute('worker', 'honest');
      return {
        end: describeEnd(outcome),
        seen: told(JSON.stringify([outcome, next]).includes(trial.target.token), 'a forged result was taken'),
        shown: told(answers('honest')(taken), 'the same message from one who has the port was taken'),
      };
    });
  });
}

const python: readonly EscapeAttempt[] = [
  fromPython(
    'port-hook',
    'the method by which the worker sends is replaced, to catch the port',
    'caught = []\ntry:\n  js.MessagePort.prototype.postMessage = ffi.create_proxy(lambda this, *rest: caught.append(this), capture_this=True)\nexcept BaseException: pass\nprint("sent")\nfor port in caught: port.postMessage(forged)',
  ),
  fromPython(
    'inherited-port',
    'every object inherits a property by which its holder is caught',
    'caught = []\ndef take(this, *rest):\n  caught.append(this)\ntry:\n  js.Object.defineProperty(js.Object.prototype, "onmessage", to_js({"get": ffi.create_proxy(take, capture_this=True), "configurable": True}))\nexcept BaseException: pass\nprint("sent")\nfor port in caught:\n  try: port.postMessage(forged)\n  except BaseException: pass',
  ),
  fromPython(
    'iterator-hook',
    'how lists are read is replaced, to see the messages that are put together',
    'caught = []\ntry:\n  symbol = js.Symbol.iterator\n  js.Reflect.set(js.Array.prototype, symbol, ffi.create_proxy(lambda this, *rest: caught.append(this), capture_this=True))\nexcept BaseException: pass\nprint("sent")',
  ),
];

export const protocolAttempts: readonly EscapeAttempt[] = [
  ...garbage,
  ...numbers,
  ...results,
  ...floods,
  toFrame,
  ownName,
  ...python,
];

/** Scripts that several attempts use. */
export const protocolScripts: Readonly<Record<string, string>> = {
  honest,
  wait: 'await guest.sleep(120)\nguest.end("honest")',
};
