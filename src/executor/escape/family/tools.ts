/** Ways to use the page's tools for more than they were given for. */
import type { ExecutionContext, Executor } from '../../executor.ts';
import type { Outcome } from '../../outcome.ts';
import { createFetchTool } from '../../policy/fetch-tool.ts';
import type { FetchToolOptions } from '../../policy/fetch-tool.ts';
import type { ToolCall, Tools } from '../../tool.ts';
import { describeEnd } from '../attempt.ts';
import type { EscapeAttempt, Findings, Seen, Trial } from '../attempt.ts';
import { beside, contextOf, exceeds, textFrom, told } from '../beside.ts';
import { shortMs } from '../write-attempt.ts';

/** Writes down how it was called. */
class Recorder {
  readonly calls: ToolCall[] = [];
  readonly tools: Tools;

  constructor(name: string = 'tool', parameters?: readonly string[]) {
    const call = (given: ToolCall): null => {
      this.calls.push(given);
      return null;
    };
    this.tools = { [name]: parameters ? { call, parameters } : { call } };
  }
}

interface Use {
  readonly outcome: Outcome;
  readonly recorder: Recorder;
  readonly trial: Trial;
}

interface ToolPlan {
  readonly id: string;
  readonly mechanism: string;
  readonly script: string;
  readonly needs?: EscapeAttempt['needs'];
  /** Of the tool; default: any. */
  readonly parameters?: readonly string[];
  readonly seen: (use: Use) => Seen;
  readonly shown: (use: Use) => Seen;
}

/** Every script also calls the tool as it is meant: that shows that calls arrive. */
function smuggling({ id, mechanism, script, needs = [], parameters, seen, shown }: ToolPlan): EscapeAttempt {
  const plan = { id, language: 'worker', mechanism, scripts: { [id]: script }, needs } as const;
  return beside('tools', plan, async (trial) => {
    const recorder = new Recorder('tool', parameters);
    const outcome = await runScript(trial, trial.realm.executors.worker, id, { tools: recorder.tools });
    const use = { outcome, recorder, trial };
    return { end: describeEnd(outcome), seen: seen(use), shown: shown(use) };
  });
}

const runScript = (
  trial: Trial,
  executor: Executor,
  script: string,
  context: ExecutionContext,
): Promise<Outcome> => executor.execute(script, contextOf(trial, 'worker', context), { timeoutMs: shortMs });

const calledOnce = ({ recorder }: Use): Seen =>
  told(recorder.calls.length === 1, 'the honest call beside it was served');
const moreThanOnce = ({ recorder }: Use): Seen =>
  told(recorder.calls.length > 1, `the tool was called ${recorder.calls.length} times`);
const honestCall = 'await guest.call({ arguments: "[[1],[]]" });';

const arguments_: readonly EscapeAttempt[] = [
  smuggling({
    id: 'tool-inherited-name',
    mechanism: 'tools by the names that every object inherits',
    script: `${honestCall}
const answers = await Promise.all(['__proto__', 'constructor', 'toString', 'valueOf'].map((name) => guest.call({ name })));
guest.end(answers.map((answer) => answer.code ?? 'answered').join());`,
    seen: ({ outcome }) =>
      told(
        outcome.type !== 'returned' || /answered|failed/u.test(textFrom(outcome)),
        'one of them was called',
      ),
    shown: calledOnce,
  }),
  smuggling({
    id: 'tool-argument-proto',
    mechanism: 'an argument called as the prototype is',
    script: 'await guest.call({ arguments: `[[],[["__proto__",{"${target.token}":1}],["plain",1]]]` })',
    seen: ({ recorder, trial }) => {
      const { named = {} } = recorder.calls[0] ?? {};
      const isChanged =
        Reflect.get(named, trial.target.token) !== undefined ||
        Reflect.get({}, trial.target.token) !== undefined;
      return told(isChanged, 'the arguments have a forged prototype');
    },
    shown: ({ recorder }) => told(recorder.calls[0]?.named['plain'] === 1, 'its other argument arrived'),
  }),
  smuggling({
    id: 'tool-field-smuggling',
    mechanism: "arguments called as the call's own fields: its policy and its signal",
    script: [
      'const named = `[[],[["policy",{"network":["${target.token}"]}],["signal",null]]]`;',
      'await guest.call({ arguments: named });',
      'await guest.call({ policy: { tools: ["*"] }, signal: null, arguments: named });',
    ].join(' '),
    seen: ({ recorder, trial }) => {
      const isSound = ({ signal, policy }: (typeof recorder.calls)[number]): boolean =>
        signal instanceof AbortSignal && !JSON.stringify(policy).includes(trial.target.token);
      return told(!recorder.calls.every(isSound), "the call's own fields were replaced");
    },
    shown: ({ recorder }) => told('policy' in (recorder.calls[0]?.named ?? {}), 'they arrived as arguments'),
  }),
  smuggling({
    id: 'tool-argument-depth',
    mechanism: 'arguments a hundred thousand levels deep',
    script: `${honestCall} await guest.call({ arguments: '[[' + '['.repeat(1e5) + ']'.repeat(1e5) + '],[]]' })`,
    seen: moreThanOnce,
    shown: calledOnce,
  }),
  smuggling({
    id: 'tool-argument-size',
    mechanism: 'arguments beyond their bound, as bytes beside an empty text',
    script: `${honestCall} await guest.call({ arguments: '[[{"$":"bytes","b":0}],[]]', buffers: [new ArrayBuffer(2 ** 20 + 1)] })`,
    seen: moreThanOnce,
    shown: calledOnce,
  }),
  smuggling({
    id: 'tool-bound-twice',
    mechanism: 'one parameter by its place and by its name',
    parameters: ['path'],
    script: `${honestCall} await guest.call({ arguments: '[["allowed"],[["path","other"]]]' })`,
    seen: moreThanOnce,
    shown: calledOnce,
  }),
  smuggling({
    id: 'tool-strange-parameter',
    mechanism: 'a parameter that the tool does not have',
    parameters: ['path'],
    script: `${honestCall} await guest.call({ arguments: '[[],[["path","a"],["mode","write"]]]' })`,
    seen: moreThanOnce,
    shown: calledOnce,
  }),
  smuggling({
    id: 'tool-half-a-pair',
    mechanism: 'arguments that are no pair of lists',
    script: `${honestCall} for (const text of ['{}', '[[]]', '[{},{}]', '[[],[["a"]]]', '[[],[[1,2]]]', 'null', '']) await guest.call({ arguments: text })`,
    seen: moreThanOnce,
    shown: calledOnce,
  }),
];

const calls: readonly EscapeAttempt[] = [
  smuggling({
    id: 'tool-call-flood',
    mechanism: 'more calls than a run may make, past the counting in the worker',
    script: 'for (let i = 0; i < 600; i += 1) guest.post(guest.toolCall())\nawait guest.sleep(3000)',
    seen: ({ recorder, outcome }) =>
      told(
        recorder.calls.length > 256 || !exceeds('calls')(outcome),
        `the tool was called ${recorder.calls.length} times, and the run ended as ${describeEnd(outcome)}`,
      ),
    shown: ({ recorder }) => told(recorder.calls.length === 256, 'as many calls as are allowed were served'),
  }),
  smuggling({
    id: 'tool-after-run',
    mechanism: 'a call after the run has ended',
    script: `${honestCall} guest.end(1); guest.post(guest.toolCall())`,
    seen: moreThanOnce,
    shown: calledOnce,
  }),
  smuggling({
    id: 'tool-of-other-run',
    mechanism: 'a call in the name of another run',
    script: `${honestCall} for (const run of [0, -1, guest.run + 1, 2 ** 53 - 1]) guest.post(guest.toolCall({ run })); await guest.sleep(50)`,
    seen: moreThanOnce,
    shown: calledOnce,
  }),
  smuggling({
    id: 'tool-mailbox',
    mechanism: 'lies in the memory through which answers come',
    needs: ['shared memory'],
    script: `
const cells = new Int32Array(guest.boot.mailbox, 0, 4);
cells.fill(2 ** 31 - 1);
new Uint8Array(guest.boot.mailbox).fill(255);
const message = guest.toolCall({ isBlocking: true });
guest.post(message);
while (Atomics.load(cells, 1) !== message.call) Atomics.wait(cells, 0, Atomics.load(cells, 0), 10);
await guest.call();
guest.end('answered')`,
    seen: ({ outcome }) =>
      told(outcome.type !== 'returned', `the frame was disturbed: the run ended as ${describeEnd(outcome)}`),
    shown: ({ recorder }) => told(recorder.calls.length === 2, 'both calls were served all the same'),
  }),
];

const denied = beside(
  'tools',
  {
    id: 'tool-lookalike-name',
    language: 'worker',
    mechanism: 'names that look like that of an allowed tool, or fold into that of a denied one',
    scripts: {
      'tool-lookalike-name': `
await guest.call({ name: 'open' });
for (const name of ['ｓｅｃｒｅｔ', 'SECRET', 'secret ', 'secret\\0', 'ſecret', './secret']) await guest.call({ name });
guest.end('refused')`,
    },
  },
  async (trial) => {
    await using executor = trial.realm.open('worker', {
      policy: { tools: ['open', 'ｓｅｃｒｅｔ', 'SECRET'] },
    });
    const [open, secret] = [new Recorder('open'), new Recorder('secret')];
    const tools = { ...open.tools, ...secret.tools };
    const outcome = await runScript(trial, executor, 'tool-lookalike-name', { tools });
    return {
      end: describeEnd(outcome),
      seen: told(secret.calls.length > 0, 'the denied tool was called'),
      shown: told(open.calls.length === 1, 'the allowed one was called'),
    };
  },
);

const spelledOtherwise = (own: string, { url, host, port, token }: Trial['target']): readonly string[] => {
  const name = new URL(own).host;
  const hit = `${host}:${port}/hit/${token}`;
  return [
    url,
    `//${hit}`,
    `http://${name}@${hit}`,
    `http:\\\\${hit}`,
    `ht\ntp://${hit}`,
    `${own}:${port}/hit/${token}`,
    `${own}.${hit}`,
    `${own}\\@${hit}`,
    `http://${name}#@${hit}`,
    ` ${url}`,
  ];
};

/** The page fetches for the guest; where to is the policy's to say. */
const fetching = beside(
  'tools',
  {
    id: 'fetch-tool-spelling',
    language: 'python',
    mechanism: 'an address that the page is to fetch, spelled so that another origin seems to be meant',
  },
  async (trial): Promise<Findings> => {
    const { origin } = location;
    const network = [{ origin, methods: ['GET'] }];
    await using executor = trial.realm.open('python', { policy: { network } });
    await using session = await executor.createSession();
    const native = Reflect.get(globalThis, 'fetch') as FetchToolOptions['fetch'];
    const fetch: FetchToolOptions['fetch'] = (url, init) => native.call(globalThis, url, init);
    const tools = { fetch: createFetchTool({ fetch }) };
    const ask = (url: string): Promise<Outcome> =>
      session.execute(
        '(await fetch(address))["status"]',
        { tools, variables: { address: url } },
        { timeoutMs: shortMs },
      );
    const shown = await ask(`${origin}/sandbox/NOTICE.txt`);
    const ends: string[] = [];
    for (const url of spelledOtherwise(origin, trial.target)) ends.push(describeEnd(await ask(url)));
    return {
      end: [...new Set(ends)].join('; ').slice(0, 200),
      shown: told(shown.type === 'returned' && shown.value === 200, 'its own origin answered'),
    };
  },
);

/** The tool's own failure tells the guest no more than its message. */
const errors = beside(
  'tools',
  {
    id: 'tool-error-stack',
    language: 'worker',
    mechanism: 'what a failing tool tells of the page: its stack, its files, its cause',
    scripts: {
      'tool-error-stack':
        'guest.end(JSON.stringify([await guest.call(), guest.commands.map((one) => one.answer && new TextDecoder().decode(one.answer))]))',
    },
  },
  async (trial) => {
    const fail = (): never => {
      throw new Error('a plain message', { cause: new Error(trial.target.token) });
    };
    const tools = { tool: { call: fail } };
    const outcome = await runScript(trial, trial.realm.executors.worker, 'tool-error-stack', { tools });
    const text = textFrom(outcome);
    return {
      end: describeEnd(outcome),
      seen: told(text.includes(trial.target.token) || text.includes(location.origin), 'it was told more'),
      shown: told(text.includes('a plain message'), 'the message arrived'),
    };
  },
);

export const toolAttempts: readonly EscapeAttempt[] = [...arguments_, ...calls, denied, fetching, errors];
