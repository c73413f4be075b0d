/** A guest that is nothing but a hostile script: what somebody has who got out of an interpreter into its worker. */
import type { Language } from '../language/language.ts';

/** It takes everything a context can hold: what it does with it is its own affair. */
export const bareLanguage: Language = Object.freeze({
  name: 'javascript',
  worker: 'never fetched',
  assets: [],
  leastMemoryBytes: 65_536,
  refuseName: () => undefined,
  capabilities: {
    hasVariables: true,
    hasFiles: true,
    hasImports: true,
    hasTools: true,
    hasEnvironment: true,
    hasWorkingDirectory: true,
    hasSubmit: true,
    isRenewable: false,
    isRestorable: true,
    keepsTime: false,
  },
  settings: {},
});

/**
 * What every script has as `guest`: the port, what came with it, and honest ways to print, to call a tool and to end. It is written in the platform's
 * language and not in ours, because its text is all that reaches the worker.
 */
const serve = `
globalThis.onmessage = ({ data: boot }) => {
  globalThis.onmessage = null;
  const { port } = boot;
  const waiting = new Map();
  let calls = 0;
  let active;
  const post = (message, transfer = []) => port.postMessage(message, transfer);
  const openGuest = (command) => {
    const { run } = command;
    let isEnded = false;
    const guest = {
      boot, port, post, run, command, commands: [command], console,
      sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
      print: (text) => post({ type: 'output-write', run, stream: 'stdout', text: String(text) }),
      sendResult(result, buffers = []) {
        isEnded = true;
        post({ type: 'run-end', run, result: JSON.stringify(result), buffers, isStateLost: false }, buffers);
        // nothing is put aside, unless the script does it
        if (command.saving && !guest.savesItself) post({ type: 'session-unsaved', run });
      },
      savesItself: false,
      save: (fields = {}) => post({ type: 'session-save', run, parts: [new ArrayBuffer(8)], names: [], lost: [], ...fields }),
      end: (value = null, buffers) => isEnded || guest.sendResult({ type: 'returned', value, variables: [] }, buffers),
      toolCall: (fields) => ({
        type: 'tool-call', run, call: ++calls, name: 'tool', arguments: '[[],[]]', buffers: [], line: null, isBlocking: false, ...fields,
      }),
      call(fields = {}) {
        const message = guest.toolCall(fields);
        post(message, message.buffers);
        return new Promise((resolve) => waiting.set(message.call, resolve));
      },
      fail: (error) => isEnded || guest.sendResult({
        type: 'threw',
        error: { type: String(error?.name), message: String(error?.message), traceback: '', line: null },
      }),
    };
    return guest;
  };
  const readAnswer = (block) => {
    const cells = new Uint32Array(block.slice(0, 4 * (new Uint32Array(block.slice(0, 4).buffer)[0] + 1)).buffer);
    return JSON.parse(new TextDecoder().decode(block.subarray(4 * cells.length, 4 * cells.length + cells[1])));
  };
  port.onmessage = async ({ data: command }) => {
    active?.commands.push(command);
    if (command.type === 'tool-answer') return waiting.get(command.call)?.(readAnswer(command.answer));
    if (command.type === 'session-restore') return post({ type: 'session-restored', lost: [] });
    if (command.type !== 'run-start') return;
    const guest = (active = openGuest(command));
    const request = JSON.parse(new TextDecoder().decode(command.request));
    const { target, script = request.code } = request.variables;
    const own = { log: (...values) => guest.print(values.join(' ') + '\\n') };
    try {
      const Native = (async () => undefined).constructor;
      const act = scripts[script] ?? new Native('guest', 'target', 'console', script);
      guest.end(await act(guest, target, own));
    } catch (error) {
      guest.fail(error);
    }
  };
  post({ type: 'sandbox-ready' });
};
`;

/**
 * The source of such a worker.
 * @param scripts by the names under which a run's code asks for them; the rules of the frame let no text become code, so all are there from the
 * start. What is none of their names is run as text, which works without rules alone.
 */
export function writeBareGuest(scripts: Readonly<Record<string, string>>): string {
  const written = Object.entries(scripts).map(
    ([name, body]) => `${JSON.stringify(name)}: async (guest, target, console) => {\n${body}\n}`,
  );
  return `const scripts = Object.assign(Object.create(null), {\n${written.join(',\n')}\n});\n${serve}`;
}
