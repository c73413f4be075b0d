import { afterEach, expect, test, vi } from 'vitest';
import { Module, Parameter, Predict } from '../../program/index.ts';
import { defaultPortLimits } from '../../port/index.ts';
import { createMemoryStore } from '../../state/index.ts';
import { createHub, createMemorySink } from '../../telemetry/index.ts';
import { isCatalogChange, isModuleSwap, isParameterChange, isPartStale, isUpdateFail } from './check-news.ts';
import { ModuleCatalog } from '../version/module-catalog.ts';
import { ModuleNews } from './module-news.ts';
import type { ModuleSwapBody, ParameterChangeBody } from '../module-protocol.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';

class First extends Module<null, null> {
  static readonly version: string = '1.0.0';
  readonly wait: Parameter<number> = new Parameter({ type: 'number', value: 2 });
  readonly answer: Predict<'question -> answer'> = new Predict('question -> answer');

  override forward(): Promise<null> {
    this.wait.set(this.wait.value + 1, 'forward');
    return Promise.resolve(null);
  }
}

class Second extends First {
  static override readonly version: string = '2.0.0';
}

const modules = { first: [First, Second] };
const open: Runtime<typeof modules>[] = [];
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
type Tell = (method: string, body: unknown) => void;

afterEach(async () => {
  vi.restoreAllMocks();
  for (const runtime of open.splice(0)) await runtime.close();
});

/** Two modules with workers of their own, and what either worker can say to the page. */
async function createScene(options: RuntimeOptions<typeof modules> = {}) {
  const attach = vi.spyOn(ModuleCatalog.prototype, 'attachPage');
  const hub = createHub();
  const sink = createMemorySink(hub);
  const store = createMemoryStore();
  const runtime = createRuntime({ modules, store, hub, ...options });
  open.push(runtime);
  const own = { version: '1.0.0', isolation: 'dedicated' } as const;
  const victim = await runtime.start('first', { ...own, id: 'victim' });
  const other = await runtime.start('first', { ...own, id: 'other' });
  const [ofVictim, ofOther] = attach.mock.calls.map(([tell]) => tell) as [Tell, Tell];
  await victim.parameters.wait.set(5);
  const stored = async (): Promise<unknown> =>
    (
      await store.get<{ readonly state: { readonly value: unknown } }>([
        'module',
        'victim',
        'parameter',
        'wait',
      ])
    )?.value.state.value;
  return { runtime, victim, other, ofVictim, ofOther, sink, stored };
}

function changeOf(state: object): ParameterChangeBody {
  const change = { name: 'wait', oldValue: 5, cause: 'forged', atMs: 1, sequence: 99 };
  return { module: 'victim', incarnation: 1, ...change, state: { ...state, value: 666 } as never };
}

/** What a worker says when another version has taken over, with everything in it. */
async function trueSwap(): Promise<ModuleSwapBody> {
  const { victim } = await createScene();
  const bodies: unknown[] = [];
  vi.spyOn(ModuleNews.prototype, 'take').mockImplementation((_, body) => void bodies.push(body));
  await victim.swap({ version: '2.0.0' }).catch(() => undefined);
  vi.restoreAllMocks();
  return bodies[0] as ModuleSwapBody;
}

test('what a worker says of a module in another worker changes nothing, and ends it when it goes on', async () => {
  const swap = await trueSwap();
  expect(isModuleSwap(swap)).toBe(true);
  const scene = await createScene({ portLimits: { ...defaultPortLimits, maxViolations: 4 } });
  const { victim, other, ofVictim, ofOther, sink, stored } = scene;
  const change = changeOf(victim.parameters.wait.state);
  ofOther('parameter-change', change);
  ofOther('module-swap', { ...swap, state: { ...swap.state, parameters: {} } });
  ofOther('part-stale', { module: 'victim', part: 'answer', reason: 'forged' });
  // of a start that is over: late, and no offence
  ofOther('parameter-change', { ...change, incarnation: 0 });
  ofOther('parameter-change', change);
  await turn();
  expect([victim.version, victim.parameters.wait.value, await stored()]).toEqual(['1.0.0', 5, 5]);
  const notes = sink.ofType('note').map(({ text }) => text);
  expect(notes).toHaveLength(3);
  expect(notes[0]).toMatch(/^worker .*: news of module "victim", which runs elsewhere$/u);
  expect([victim.metrics.restarts, other.metrics.restarts]).toEqual([0, 0]);
  ofOther('parameter-change', change);
  await expect.poll(() => other.metrics.restarts).toBe(1);
  expect(victim.metrics.restarts).toBe(0);
  ofVictim('parameter-change', change);
  await expect.poll(() => victim.parameters.wait.value).toBe(666);
});

const odd: readonly unknown[] = [undefined, null, 1, 'text', [], {}, { module: 'victim' }, { kinds: [1] }];
const methods = ['parameter-change', 'module-swap', 'part-stale', 'catalog-change', 'update-fail', 'gossip'];

test('malformed news are dropped and counted, whatever they are of', async () => {
  const { victim, ofVictim, sink } = await createScene();
  for (const method of methods) for (const body of odd) ofVictim(method, body);
  await turn();
  const notes = sink.ofType('note').filter(({ text }) => text.includes('malformed'));
  expect(notes).toHaveLength(methods.length * odd.length);
  expect([victim.status, victim.parameters.wait.value]).toEqual(['running', 5]);
  await victim.call(null);
  await expect.poll(() => victim.parameters.wait.value).toBe(6);
});

/** Every path to a member of `value`, and to the first entry of its lists and records. */
function* pathsOf(value: unknown, path: readonly string[] = []): Iterable<readonly string[]> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) yield* pathsOf(Reflect.get(value, key), [...path, key]);
}

function without(body: object, path: readonly string[], value: unknown): object {
  const copy = structuredClone(body);
  const holder = path.slice(0, -1).reduce<object>((at, key) => Reflect.get(at, key) as object, copy);
  Reflect.set(holder, path.at(-1) as string, value);
  return copy;
}

/** Members that may be anything, with everything in them. */
const isFree = (path: readonly string[]): boolean =>
  ['oldValue', 'gradient', 'velocity', 'metadata', 'constraints', 'config'].some((name) =>
    path.includes(name),
  );

test('a member of the wrong type anywhere in what the page reads makes news malformed', async () => {
  const swap = await trueSwap();
  const change = changeOf(swap.state.parameters['wait'] ?? {});
  expect(isParameterChange(change)).toBe(true);
  const refused = (check: (body: unknown) => boolean, body: object): string[] =>
    [...pathsOf(body)]
      .filter((path) => !isFree(path) && !check(without(body, path, Symbol.iterator)))
      .map((path) => path.join('.'));
  expect(refused(isParameterChange, change)).toEqual(
    [...pathsOf(change)].filter((path) => !isFree(path)).map((path) => path.join('.')),
  );
  expect(refused(isModuleSwap, swap)).toEqual(
    expect.arrayContaining([
      'module',
      'incarnation',
      'sequence',
      'taken.from',
      'taken.same',
      'taken.same.0',
      'parts',
      'description.parameters',
      'description.parameters.0.name',
      'description.predictors.0.signature',
      'state.version',
      'state.parameters',
      'state.parameters.wait.value',
      'state.parameters.wait.type',
      'state.predictors.answer',
      'state.compiled',
    ]),
  );
  expect(isParameterChange({ ...change, state: { ...change.state, value: 'text' } })).toBe(false);
  expect(isParameterChange({ ...change, sequence: -1 })).toBe(false);
});

test('news that are well formed are so', () => {
  expect(isPartStale({ module: 'm', part: 'p', reason: 'r' })).toBe(true);
  expect(isCatalogChange({ kinds: ['a'] })).toBe(true);
  expect(isUpdateFail({ message: 'm' })).toBe(true);
  expect(isUpdateFail({ message: 'm', file: 'f' })).toBe(true);
});
