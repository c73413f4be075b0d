// The peer of area `executor`: DSPy's own interpreter, Pyodide in a Deno process, driven as DSPy drives it but without Python in between.
// Both are installed below .cache when the bench first needs them: Deno by npm, DSPy's runner out of its wheel by pip.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = join(resolve(import.meta.dirname, '../..'), '.cache/peers');
const denoVersion = '2.9.6';
const dspyVersion = '3.3.1';
const installMs = 5 * 60_000;
const answerMs = 60_000;

/** What the runner takes from Deno's standard library: its one import from elsewhere is mapped to this. */
const readLines = `export async function* readLines(input) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input.readable) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest) yield rest;
}
`;

/** @typedef {{ deno: string, runner: string, imports: string, environment: NodeJS.ProcessEnv }} Installed */

/** @param {string} name @param {string[]} args @param {NodeJS.ProcessEnv} [env] */
const install = (name, args, env = process.env) => run(name, args, { cwd: folder, env, timeout: installMs });

/** @returns {Promise<string>} */
async function installDeno() {
  const deno = join(folder, 'node_modules/.bin/deno');
  if (!existsSync(deno)) {
    await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
    await install('npm', ['install', `deno@${denoVersion}`, '--no-audit', '--no-fund']);
  }
  return deno;
}

/** @returns {Promise<string>} */
async function installRunner() {
  const runner = join(folder, 'dspy/primitives/runner.js');
  if (existsSync(runner)) return runner;
  await install('python3', ['-m', 'pip', 'download', `dspy==${dspyVersion}`, '--no-deps', '-q', '-d', '.']);
  const wheel = (await readdir(folder)).find((name) => name.startsWith('dspy-') && name.endsWith('.whl'));
  if (!wheel) throw new Error('pip brought no wheel of DSPy');
  await install('python3', ['-m', 'zipfile', '-e', wheel, '.']);
  return runner;
}

/** Whatever address the runner imports from, ours stands in. @param {string} runner @returns {Promise<string>} */
async function writeImportMap(runner) {
  const found = /from "(?<address>https:[^"]+)"/u.exec(await readFile(runner, 'utf8'));
  if (!found?.groups)
    throw new Error("DSPy's runner imports nothing from elsewhere: it is not the one that is known");
  await writeFile(join(folder, 'read-lines.mjs'), readLines);
  const file = join(folder, 'imports.json');
  await writeFile(file, JSON.stringify({ imports: { [found.groups['address'] ?? '']: './read-lines.mjs' } }));
  return file;
}

/** Installs what is missing, from the registries that npm and pip are set up for. @returns {Promise<Installed>} */
async function installPeer() {
  await mkdir(folder, { recursive: true });
  const deno = await installDeno();
  const runner = await installRunner();
  const imports = await writeImportMap(runner);
  const { stdout } = await run('npm', ['config', 'get', 'registry']);
  const environment = {
    ...process.env,
    DENO_DIR: join(folder, 'deno'),
    DENO_NO_PACKAGE_JSON: '1',
    DENO_NO_UPDATE_CHECK: '1',
    NPM_CONFIG_REGISTRY: stdout.trim(),
  };
  await install(deno, ['cache', `--import-map=${imports}`, runner], environment);
  return { deno, runner, imports, environment };
}

/** One process with one interpreter. */
class DenoInterpreter {
  #process;
  #lines;
  #requests = 0;

  /** @param {Installed} peer */
  constructor({ deno, runner, imports, environment }) {
    const read = `--allow-read=${runner},${environment['DENO_DIR']},${folder}`;
    this.#process = spawn(
      deno,
      ['run', '--cached-only', '--no-prompt', read, `--import-map=${imports}`, runner],
      {
        env: environment,
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /**
   * @param {string} method
   * @param {object} params
   * @param {Record<string, (named: Record<string, unknown>) => unknown>} [tools]
   * @returns {Promise<any>}
   */
  async request(method, params, tools = {}) {
    const id = ++this.#requests;
    this.#send({ jsonrpc: '2.0', method, params, id });
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error("DSPy's interpreter ended");
      const message = JSON.parse(value);
      if (message.method === 'tool_call') this.#answer(message, tools);
      else if (message.error) throw new Error(`DSPy's interpreter: ${JSON.stringify(message.error)}`);
      else if (message.id === id) return message.result;
    }
  }

  close() {
    this.#process.kill('SIGKILL');
  }

  /** @param {{ id: string, params: { name: string, kwargs: Record<string, unknown> } }} call @param {Record<string, (named: Record<string, unknown>) => unknown>} tools */
  #answer({ id, params }, tools) {
    const value = JSON.stringify(tools[params.name]?.(params.kwargs));
    this.#send({ jsonrpc: '2.0', result: { value, type: 'json' }, id });
  }

  /** @param {object} message */
  #send(message) {
    this.#process.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** @param {unknown} result @param {string} expected */
function expectOutput(result, expected) {
  const found = String(/** @type {{ output?: unknown }} */ (result).output);
  if (found.trim() !== expected)
    throw new Error(`DSPy's interpreter answered ${found.slice(0, 100)}, expected ${expected}`);
}

const sizeBytes = 1_000_000;
const text = 'x'.repeat(sizeBytes);
const callsPerRun = 50;
const add = (/** @type {Record<string, unknown>} */ { left, right }) => Number(left) + Number(right);

/** The programs, by the names that the bench asks for; each answers what one of them took, in milliseconds. */
class PeerBench {
  #installed;
  /** @type {DenoInterpreter | undefined} */
  #warm;

  /** @param {Installed} installed */
  constructor(installed) {
    this.#installed = installed;
  }

  close() {
    this.#warm?.close();
  }

  /** @param {string} name @returns {Promise<number>} */
  time(name) {
    const work = /** @type {Record<string, () => Promise<number>>} */ (this.#works)[name];
    if (!work) throw new Error(`there is no program "${name}"`);
    return work();
  }

  #works = {
    fresh: () =>
      timed(async () => {
        const interpreter = new DenoInterpreter(this.#installed);
        expectOutput(await interpreter.request('execute', { code: 'print(1 + 1)' }), '2');
        interpreter.close();
      }),
    warm: () => this.#run('print(1 + 1)', '2'),
    /** Its default: the variable becomes a part of the code. */
    'string-in': () => this.#run(`text = ${JSON.stringify(text)}\nprint(len(text))`, String(sizeBytes)),
    /** What it does for more than 100 MB: the variable becomes a file. */
    'string-in-best': async () => {
      const interpreter = await this.#open();
      const code =
        "import json\ntext = json.loads(open('/tmp/dspy_vars/text.json').read())\nprint(len(text))";
      return timed(async () => {
        await interpreter.request('inject_var', { name: 'text', value: JSON.stringify(text) });
        expectOutput(await interpreter.request('execute', { code }), String(sizeBytes));
      });
    },
    'string-out': () => this.#run(`print('x' * ${sizeBytes})`, text),
    tool: async () => {
      const sum = `print(sum(add(left=n, right=1) for n in range(${callsPerRun})))`;
      return (await this.#run(sum, String((callsPerRun * (callsPerRun + 1)) / 2))) / callsPerRun;
    },
  };

  async #open() {
    if (this.#warm) return this.#warm;
    const interpreter = new DenoInterpreter(this.#installed);
    const parameters = [{ name: 'left' }, { name: 'right' }];
    await interpreter.request('register', { tools: [{ name: 'add', parameters }] });
    this.#warm = interpreter;
    return interpreter;
  }

  /** @param {string} code @param {string} expected @returns {Promise<number>} */
  async #run(code, expected) {
    const interpreter = await this.#open();
    return timed(async () => expectOutput(await interpreter.request('execute', { code }, { add }), expected));
  }
}

/**
 * Runs the bench of the page, which asks for the peer's times in between its own; without a peer, it is told why.
 * @template Outcome
 * @param {(expose: Record<string, (name: string) => Promise<number>>) => Promise<Outcome>} runOurs
 */
export async function besideDeno(runOurs) {
  /** @type {PeerBench | undefined} */
  let bench;
  try {
    bench = new PeerBench(await installPeer());
    await withLimit(bench.time('warm'));
  } catch (error) {
    console.log(
      `DSPy's interpreter is not measured: ${String(/** @type {Error} */ (error).message).split('\n')[0]}\n`,
    );
    bench?.close();
    bench = undefined;
  }
  try {
    const peer = bench;
    return await runOurs(peer ? { timePeer: (name) => withLimit(peer.time(name)) } : {});
  } finally {
    bench?.close();
  }
}

/** @param {Promise<number>} work @returns {Promise<number>} */
function withLimit(work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`DSPy's interpreter took more than ${answerMs} ms`)), answerMs);
  });
  return Promise.race([work, /** @type {Promise<never>} */ (late)]).finally(() => clearTimeout(timer));
}
