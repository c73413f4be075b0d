import { expect, test } from 'vitest';
import type { SavedState } from '../../../guest/engine.ts';
import type { JavaScriptEngine } from './engine.ts';
import { openEngine, runIn as run } from './engine-test-scene.ts';
import { quickBytes } from './session.ts';

const mebibyte = 2 ** 20;
const bounds = { sizeBytes: 32 * mebibyte, packageBytes: 0, timeMs: 1000, idleMs: 50 };

type Parts = readonly ArrayBuffer[];
/** As the page keeps them. */
const kept = new WeakMap<JavaScriptEngine, Parts>();

function saved(
  engine: JavaScriptEngine,
  sizeBytes: number = bounds.sizeBytes,
): Omit<SavedState, 'parts'> & { readonly parts: Parts } {
  const state = engine.save({ ...bounds, sizeBytes }, true);
  if (typeof state !== 'object') throw new Error(`nothing was put aside: ${String(state)}`);
  const before = kept.get(engine) ?? [];
  const parts = state.parts.map((part, index) => part ?? (before[index] as ArrayBuffer));
  kept.set(engine, parts);
  return { ...state, parts };
}

const partsOf = ({ parts }: { readonly parts: Parts }): Uint8Array[] =>
  parts.map((part) => new Uint8Array(part));

async function successorOf(engine: JavaScriptEngine): Promise<JavaScriptEngine> {
  const next = await openEngine();
  expect(await next.restore(partsOf(saved(engine)))).toEqual([]);
  return next;
}

const rich = `
const x = [1, [2]]
const y = x[1]
const counter = (() => { let n = 0; return { up: () => (n += 1), seen: () => n } })()
counter.up()
class Point { #a; constructor(a) { this.#a = a } get a() { return this.#a } static made = 0 }
class Place extends Point { get b() { return super.a + 1 } }
const place = new Place(3)
function* walk() { yield 1; yield 2 }
const walking = walk()
walking.next()
let finish
const waiting = new Promise((done) => { finish = done }).then((n) => n + 1)
const map = new Map([[x, new Set([y])]])
const key = Symbol('key')
const proxy = new Proxy({}, { get: (_, name) => name })
const weak = new WeakRef(x)
globalThis.late = () => import('later.js')
await import('fs').then((fs) => fs.writeFileSync('kept.txt', 'text'))
process.env.KEPT = '1'
Array.prototype.last = function () { return this[this.length - 1] }
const drawn = performance.now()
1`;

const asked = `
import fs from 'fs'
finish(4);
[x, y === x[1], counter.up(), counter.seen(), place.a, place.b, place instanceof Point, walking.next().value, await waiting,
  map.get(x).has(y), key.description, proxy.name, weak.deref() === x, fs.readFileSync('kept.txt', 'utf8'), process.env.KEPT, [1, 5].last(),
  (await late()).default, performance.now() >= drawn]`;

test('everything comes back: closures, classes, generators, promises, files, modules, and the clock goes on', async () => {
  const engine = await openEngine();
  await run(engine, rich, { imports: [['later.js', 'export default 7']] });
  const { names, lost } = saved(engine);
  expect(names).toEqual(expect.arrayContaining(['x', 'counter', 'Point', 'walk', 'late']));
  expect(names).not.toEqual(expect.arrayContaining(['SUBMIT']));
  expect(names).not.toEqual(expect.arrayContaining(['console']));
  expect(lost).toEqual([]);
  const all = [[1, [2]], true, 2, 2, 3, 4, true, 2, 5, true, 'key', 'name', true, 'text', '1', 5, 7, true];
  expect(await run(await successorOf(engine), asked)).toMatchObject({ type: 'returned', value: all });
  // it is a copy: the one before goes on by itself
  expect(await run(engine, asked)).toMatchObject({ type: 'returned', value: all });
});

test('the successor of a successor has what was added, and timers, errors and tools are its own', async () => {
  const engine = await openEngine();
  await run(
    engine,
    'const list = [1]\nsetTimeout(() => list.push("never"), 0)\nnew Promise(() => {}).then(() => list.push("never")); 1',
  );
  const second = await successorOf(engine);
  expect(
    await run(second, 'await new Promise((done) => setTimeout(done, 5)); list.push(2); list'),
  ).toMatchObject({
    value: [1, 2],
  });
  const third = await successorOf(second);
  expect(await run(third, 'const f = () => f()\nf()')).toMatchObject({
    type: 'threw',
    error: { type: 'RangeError' },
  });
  const failed = await run(third, '\nlist.nothing()');
  expect(failed).toMatchObject({
    type: 'threw',
    error: { traceback: expect.stringContaining('<run-4>:2:') as string },
  });
  await run(third, 'import { fail } from "broken.js"', {
    imports: [['broken.js', '\nexport const fail = () => nothing.at.all']],
  });
  const traceback = expect.stringContaining('broken.js:2:') as string;
  expect(await run(await successorOf(third), 'fail()')).toMatchObject({ error: { traceback } });
  expect(await run(third, '[list, typeof rate]', { tools: ['rate'], toolParameters: [null] })).toMatchObject({
    value: [[1, 2], 'function'],
  });
  expect(saved(third).names).toEqual(['list', 'f', 'fail']);
  expect(await run(await successorOf(third), 'typeof rate')).toMatchObject({ value: 'undefined' });
});

test('a memory that has grown comes back, also into an engine whose interpreters come from an image', async () => {
  const engine = await openEngine();
  await run(engine, '1');
  engine.renew();
  await run(
    engine,
    'const data = Array.from({ length: 600_000 }, (_, n) => n * 1.5)\nconst bytes = new Uint8Array(12e6)\nbytes[11e6] = 9',
  );
  const state = saved(engine);
  const next = await openEngine();
  await run(next, '1');
  next.renew();
  await next.restore(partsOf(state));
  const code =
    'data.push(1)\nconst more = data.map((n) => n + 1);\n[data.length, data[2], bytes[11e6], more[2]]';
  expect(await run(next, code)).toMatchObject({ value: [600_001, 3, 9, 4] });
});

test('a run’s values do not stay with the session when nobody holds them', async () => {
  const engine = await openEngine();
  await run(engine, 'let n = 0');
  const sizeBytes = (): number => saved(engine).parts[0]?.byteLength ?? 0;
  const before = sizeBytes();
  // what it holds is not looked at when it leaves
  const value = "Object.defineProperty({}, 'bytes', { value: new Uint8Array(400_000).fill(1) })";
  for (let round = 0; round < 40; round += 1) await run(engine, `n += 1\n;${value}`);
  expect(sizeBytes() - before).toBeLessThan(4 * mebibyte);
});

test('what takes long waits for a quiet moment, unless a variable was added, replaced or removed', async () => {
  const engine = await openEngine();
  const isLater = (): boolean => engine.save(bounds, false) === 'later';
  await run(engine, `const data = new Uint8Array(${quickBytes}).fill(1)`);
  expect(isLater()).toBe(false);
  await run(engine, 'data[0] = 2');
  expect(isLater()).toBe(true);
  expect(saved(engine).parts[0]?.byteLength).toBeGreaterThan(quickBytes);
  for (const code of ['globalThis.one = {}', 'one = {}', 'delete globalThis.one', 'const g = 1']) {
    await run(engine, code);
    expect([code, isLater()]).toEqual([code, false]);
    await run(engine, '1 + 1');
    expect(isLater()).toBe(true);
  }
});

test('more than may be put aside is lost by name, and what is said to be nothing brings nothing back', async () => {
  const engine = await openEngine();
  await run(engine, 'const a = 1, b = 2');
  const state = saved(engine, 1000);
  expect(state).toMatchObject({ names: [], parts: [{ byteLength: 0 }, { byteLength: 0 }] });
  expect(state.lost).toEqual(
    ['a', 'b'].map((name) => ({ name, reason: expect.stringContaining('1000 bytes') as string })),
  );
  const next = await openEngine();
  expect(await next.restore(partsOf(state))).toEqual([]);
  expect(await run(next, 'typeof a')).toMatchObject({ value: 'undefined' });
  // put aside whole once there is room, the modules' texts too
  expect(saved(engine).parts.every((part) => part.byteLength > 0)).toBe(true);
});

test('what was not put aside by the same interpreter is refused', async () => {
  const engine = await openEngine({ memoryBytes: 24 * mebibyte });
  await run(engine, 'let a = 1');
  const [image = new Uint8Array(), sources = new Uint8Array()] = partsOf(saved(engine));
  const changed = (word: number, value: number): Uint8Array => {
    const copy = image.slice();
    new Uint32Array(copy.buffer)[word] = value;
    return copy;
  };
  const pages = new Uint32Array(image.buffer)[3] ?? 0;
  const next = await openEngine({ memoryBytes: 24 * mebibyte });
  const places = 4 + pages;
  const broken: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
    ['it is none', image.slice(4), sources],
    ['page is out of place', changed(2, mebibyte), sources],
    ['beyond the bound', changed(2, 32 * mebibyte), sources],
    ['is made otherwise', changed(places, 8), sources],
    ['is made otherwise', changed(places + 1, 8), sources],
    ['is not valid JSON', image, new Uint8Array([1])],
  ];
  for (const [why, one, other] of broken) await expect(next.restore([one, other])).rejects.toThrow(why);
  expect(await run(next, 'typeof a')).toMatchObject({ value: 'undefined' });
  await next.restore([image, sources]);
  expect(await run(next, 'a')).toMatchObject({ value: 1 });
});

test('nothing is put aside of what has run nothing, or does not answer in time', async () => {
  const engine = await openEngine();
  expect(engine.save(bounds, true)).toBe(undefined);
  await run(engine, 'let a = 1\nObject.prototype.toJSON = function () { return "names" in this ? 5 : this }');
  expect(engine.save(bounds, true)).toBe(undefined);
  await run(engine, 'Object.prototype.toJSON = function () { while ("names" in this); return this }');
  expect(engine.save({ ...bounds, timeMs: 20 }, true)).toBe(undefined);
  await run(engine, 'delete Object.prototype.toJSON');
  expect(saved(engine)).toMatchObject({ names: ['a'] });
});
