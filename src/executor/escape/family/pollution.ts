/** Ways to change the page's objects by what a guest hands over, and the sandbox's own code by changing what it uses. */
import type { EscapeAttempt, EscapeLanguage, Seen, Trial } from '../attempt.ts';
import { aimAt, describeEnd } from '../attempt.ts';
import type { ExecutionContext } from '../../executor.ts';
import type { GuestValue } from '../../guest-value.ts';
import { beside, contextOf, poisoning, told } from '../beside.ts';
import type { BesidePlan, Poison } from '../beside.ts';
import { shortMs } from '../write-attempt.ts';

/** Whether a value that came back has, or has given to all objects, what it should only carry. */
function pollutionIn(value: unknown, token: string): Seen {
  if (Reflect.get({}, token) !== undefined) return 'every object of the page has it';
  if (typeof value !== 'object' || value === null) return undefined;
  const isInherited = !Object.hasOwn(value, token) && Reflect.get(value, token) !== undefined;
  if (isInherited) return 'the value has a forged prototype';
  return Object.values(value)
    .map((item) => pollutionIn(item, token))
    .find(Boolean);
}

/** What a page does that reads JSON and assigns: on an object of its own, which then has what it was never given. */
function isPollutedByAssigning(token: string): boolean {
  const parsed = JSON.parse(`{"__proto__":{"${token}":1}}`) as Record<string, unknown>;
  const target: Record<string, unknown> = {};
  for (const key of Object.keys(parsed)) target[key] = parsed[key];
  return Reflect.get(target, token) !== undefined;
}

interface Carrier {
  readonly id: string;
  readonly language: EscapeLanguage;
  readonly mechanism: string;
  readonly code: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly context?: ExecutionContext;
}

/** Values whose keys are the names of what objects inherit. */
function carried({ id, language, mechanism, code, scripts, context }: Carrier): EscapeAttempt {
  return beside(
    'pollution',
    { id, language, mechanism, ...(scripts && { scripts }) },
    async (trial: Trial) => {
      const values: (GuestValue | object)[] = [];
      const outcome = await trial.execute(
        language,
        aimAt(trial.target, code),
        contextOf(trial, language, context),
        { timeoutMs: shortMs, onDisplay: (value) => values.push(value) },
      );
      if (outcome.type === 'returned' || outcome.type === 'submitted') values.push({ value: outcome.value });
      const { token } = trial.target;
      return {
        end: describeEnd(outcome),
        seen: values.map((value) => pollutionIn(value, token)).find(Boolean),
        shown: told(
          isPollutedByAssigning(token) && values.length > 0,
          'it arrived, and a page that assigns what it parses is polluted by it',
        ),
      };
    },
  );
}

const values: readonly EscapeAttempt[] = [
  carried({
    id: 'returned-proto',
    language: 'python',
    mechanism: 'a returned value with the keys of prototypes',
    code: '{"__proto__": {"{token}": 1}, "constructor": {"prototype": {"{token}": 1}}}',
  }),
  carried({
    id: 'submitted-proto',
    language: 'javascript',
    mechanism: 'a submitted name that is that of the prototype',
    code: 'SUBMIT(JSON.parse(\'{"__proto__": {"{token}": 1}}\'))',
  }),
  carried({
    id: 'forged-proto',
    language: 'worker',
    mechanism: 'a tree written by hand whose dictionary is a prototype',
    code: 'forged-proto',
    scripts: {
      'forged-proto':
        'guest.end({ $: "dict", v: [["__proto__", { $: "dict", v: [[target.token, 1]] }], ["a", 1]] })',
    },
  }),
  carried({
    id: 'forged-json-proto',
    language: 'worker',
    mechanism: "a result whose own fields are the prototype's, as text",
    code: 'forged-json-proto',
    scripts: {
      'forged-json-proto':
        'guest.post({ type: "run-end", run: guest.run, result: `{"type":"returned","__proto__":{"${target.token}":1},"value":{"__proto__":{"${target.token}":1}},"variables":[["__proto__",{"${target.token}":1}]]}`, buffers: [], isStateLost: false })\nguest.fail = guest.end = () => undefined',
    },
  }),
  carried({
    id: 'display-proto',
    language: 'python',
    mechanism: 'a rich value whose kind is the name of the prototype',
    code: 'display({"__proto__": "{token}", "text/plain": "x"}, raw=True)\n{"a": 1}',
  }),
  carried({
    id: 'js-to-json',
    language: 'javascript',
    mechanism: 'every object of the guest says how it is written',
    code: 'let asked = 0;\nObject.prototype.toJSON = function () { return asked++ ? this : { type: "returned", value: JSON.parse(\'{"__proto__": {"{token}": 1}}\'), variables: [] } };\n({ a: { b: 1 } })',
  }),
  carried({
    id: 'js-proxy',
    language: 'javascript',
    mechanism: 'a proxy that invents keys, and answers otherwise each time it is asked',
    code: 'let asked = 0\nnew Proxy({}, { ownKeys: () => ["__proto__", "a"], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }), get: (_o, key) => key === "a" ? ++asked : { "{token}": 1 } })',
  }),
  carried({
    id: 'js-species',
    language: 'javascript',
    mechanism: 'a list that says what its parts are made of',
    code: 'class Made extends Array { static get [Symbol.species]() { return function () { return { "__proto__": { "{token}": 1 }, length: 0 } } } }\nMade.from([1, 2, 3])',
  }),
  carried({
    id: 'sql-column-proto',
    language: 'sql',
    mechanism: 'a column called as the prototype is',
    code: 'SELECT 1 AS "__proto__", 2 AS "constructor", \'{token}\' AS "{token}"',
  }),
];

/** The last value of a guest that answers whoever waits for it. */
const thenable = beside(
  'pollution',
  {
    id: 'js-thenable',
    language: 'javascript',
    mechanism: 'a value that says itself when it is there',
  },
  async (trial) => {
    const outcome = await trial.execute(
      'javascript',
      `let asked = 0;\n({ then(done) { asked += 1; console.log(asked); done("${trial.target.token}") } })`,
      {},
      { timeoutMs: shortMs },
    );
    const value = outcome.type === 'returned' ? outcome.value : null;
    const isCallable =
      typeof value === 'object' && value !== null && typeof Reflect.get(value, 'then') === 'function';
    return {
      end: describeEnd(outcome),
      seen: told(isCallable, 'the page waits for the value of a guest'),
      shown: told(
        outcome.stdout === '1\n' || outcome.type === 'threw',
        `the guest's side met it: ${describeEnd(outcome)}`,
      ),
    };
  },
);

const poison = (plan: BesidePlan, by: Poison): EscapeAttempt => poisoning('pollution', plan, by);
const inGuest = (id: string, mechanism: string, by: Poison): EscapeAttempt =>
  poison({ id, language: 'javascript', mechanism }, by);
const inPython = (id: string, mechanism: string, by: Poison): EscapeAttempt =>
  poison({ id, language: 'python', mechanism }, by);

const poisons: readonly EscapeAttempt[] = [
  inGuest('js-promise-then', 'how promises are waited for is replaced', {
    code: 'Promise.prototype.then = new Proxy(Promise.prototype.then, { apply: (work, self, given) => Reflect.apply(work, self, given) })\nPromise.prototype.then.mark = "{token}"\n1',
    look: 'Promise.prototype.then.mark === undefined',
    mark: false,
  }),
  inGuest('js-json', 'how results are written is replaced', {
    code: 'JSON.stringify = () => \'{"type":"returned","value":"forged","variables":[]}\'\n1',
    look: 'JSON.stringify({}).includes("forged")',
    mark: true,
  }),
  inGuest('js-iterator', 'how lists are read is replaced in the language itself', {
    code: 'const each = Array.prototype[Symbol.iterator]\nArray.prototype[Symbol.iterator] = function () { return each.call(this) }\nArray.prototype.mark = 1\n1',
    look: '[].mark ?? 0',
    mark: 1,
  }),
  inGuest('js-object-prototype', 'every object of the language inherits a setter', {
    code: 'Object.defineProperty(Object.prototype, "type", { get: () => "forged", set() {}, configurable: true })\n1',
    look: '({}).type ?? 0',
    mark: 'forged',
  }),
  inGuest('js-global-leak', 'a global of one session', {
    code: 'globalThis.leak = [1]\n1',
    look: 'typeof leak',
    mark: 'object',
  }),
  inPython('poisoned-builtins', 'the functions that every module finds', {
    code: 'import builtins\nbuiltins.abs = lambda *a: 77\n1',
    look: '__import__("builtins").abs(-1)',
    mark: 77,
  }),
  inPython('poisoned-modules', 'modules in the table of modules', {
    code: 'import sys, types\nfake = types.ModuleType("json")\nfake.dumps = lambda *a, **k: "forged"\nsys.modules["json"] = fake\n1',
    look: 'import json\njson.dumps(1)',
    mark: 'forged',
  }),
  inPython('guest-object-prototype', "the prototype of all objects in the guest's worker", {
    code: 'import importlib\njs = importlib.import_module("js")\nsetattr(js.Object.prototype, "polluted", "yes")\n1',
    look: 'import importlib\njs = importlib.import_module("js")\nstr(getattr(js.Object.new(), "polluted", "no"))',
    mark: 'yes',
  }),
];

export const pollutionAttempts: readonly EscapeAttempt[] = [...values, thenable, ...poisons];
