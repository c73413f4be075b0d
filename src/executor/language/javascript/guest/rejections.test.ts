import { expect, test } from 'vitest';
import { openEngine, outputOf, runIn } from './engine-test-scene.ts';

const complaints: unknown[] = [];
const engines = openEngine({ output: outputOf(complaints) });
const run = async (code: string, given: Parameters<typeof runIn>[2] = {}): Promise<unknown> => {
  complaints.length = 0;
  return runIn(await engines, code, given);
};

const lost = 'Uncaught (in promise) Error: lost\n    at ';
const soon = 'await new Promise((done) => setTimeout(done, 5))';

test.each([
  ['an async function that nobody awaits', "(async () => { throw new Error('lost') })(); 1", lost],
  ['one that throws later', "(async () => { await 0; throw new Error('lost') })(); 1", lost],
  ['a rejected promise', "Promise.reject(new Error('lost')); 1", lost],
  ['a timer', `setTimeout(async () => { throw new Error('lost') }); ${soon}; 1`, lost],
  ['a chain', "Promise.resolve().then(() => { throw new Error('lost') }); 1", lost],
  [
    'a reason that is no error',
    'Promise.reject({ lost: [1] }); 1',
    'Uncaught (in promise) { lost: [ 1 ] }\n',
  ],
  ['an import', "import('lost.js'); 1", lost],
  ['a text', "Promise.reject('lost'); 1", 'Uncaught (in promise) lost\n'],
  ['a module', "await import('m.js'); 1", lost],
])('what nobody handles is printed: %s', async (_name, code, text) => {
  const imports = [
    ['m.js', "\nPromise.reject(new Error('lost'))"],
    ['lost.js', "throw new Error('lost')"],
  ] as const;
  expect(await run(code, { imports })).toMatchObject({ type: 'returned', value: 1 });
  expect(complaints).toHaveLength(1);
  expect(complaints.join('').slice(0, text.length)).toBe(text);
});

test('what caused a rejection is printed with it', async () => {
  await run("Promise.reject(new Error('lost', { cause: new RangeError('deep') })); 1");
  expect(complaints.join('')).toMatch(
    /^Uncaught \(in promise\) Error: lost\n.*\nCaused by: RangeError: deep\n {4}at /u,
  );
});

test('a call of a tool that nobody awaits is told when its answer comes too late, or is an error', async () => {
  const buffers: Uint8Array<ArrayBuffer>[] = [];
  const answers = ['{"code":"executor/tool-failed","message":"disk full"}', '{"value":1}'];
  const start = async () => {
    const text = answers.shift();
    await new Promise((done) => setTimeout(done));
    return text === undefined ? undefined : { text: new TextEncoder().encode(text), buffers };
  };
  const output = outputOf(complaints);
  const engine = await openEngine({ output: { ...output, tools: { ...output.tools, start } } });
  complaints.length = 0;
  const given = { tools: ['save'], toolParameters: [null] };
  await runIn(engine, `save(1); ${soon}; 1`, given);
  expect(complaints.join('')).toContain('Uncaught (in promise) ToolError: disk full');
  complaints.length = 0;
  expect(await runIn(engine, "save(1); save(2); 'saved'", given)).toMatchObject({ value: 'saved' });
  expect(complaints).toEqual(['not answered when the run ended: save(), save()\n']);
});

test.each([
  ["try { await (async () => { throw new Error('e') })() } catch {}; 1"],
  ["const p = Promise.reject(new Error('e')); await 0; p.catch(() => {}); 1"],
  [`const late = Promise.reject(new Error('e')); ${soon}; await late.then(null, () => 1)`],
  ['(await Promise.allSettled(Array.from({ length: 1500 }, async (_, n) => { throw n }))).length && 1'],
  ["try { await import('nowhere.js') } catch {}; 1"],
  ["try { await import('broken.js') } catch {}; 1"],
  ["try { await import('throws.js') } catch {}; 1"],
  ['await Promise.any([Promise.reject(1), Promise.resolve(1)])'],
])('what is handled before the end is not: %s', async (code) => {
  const imports = [
    ['broken.js', 'let let'],
    ['throws.js', "await 0; throw new Error('e')"],
  ] as const;
  expect(await run(code, { imports })).toMatchObject({ type: 'returned', value: 1 });
  expect(complaints).toEqual([]);
});

test.each([
  ["throw new Error('seen')"],
  ["await Promise.reject(new Error('seen'))"],
  ["Promise.reject(new Error('seen'))"],
  ["import 'seen.js'"],
  ["await import('seen.js')"],
])('what ends the run is not told twice: %s', async (code) => {
  const imports = [['seen.js', "throw new Error('seen')"]] as const;
  expect(await run(code, { imports })).toMatchObject({ type: 'threw', error: { message: 'seen' } });
  expect(complaints).toEqual([]);
});

test('beside an error that ends the run, the others are told, each once', async () => {
  expect(await run("Promise.reject(new Error('lost')); throw new Error('seen')")).toMatchObject({
    type: 'threw',
  });
  expect(complaints.join('')).toContain(lost);
  await run('1');
  expect(complaints).toEqual([]);
});

test('many are told by their number, and hold no memory afterwards', async () => {
  const code = 'for (let n = 0; n < 3000; n += 1) Promise.reject(new Uint8Array(1000))';
  for (let round = 0; round < 20; round += 1) expect(await run(code)).toMatchObject({ type: 'returned' });
  expect(complaints).toHaveLength(21);
  expect(complaints.at(-1)).toBe('Uncaught (in promise): 2980 more\n');
});

test('an interpreter made from an image, and one that goes on for another, tell them too', async () => {
  const engine = await openEngine({ output: outputOf(complaints) });
  await runIn(engine, 'globalThis.f = async () => { throw new Error("lost") }');
  const state = engine.save({ sizeBytes: 2 ** 25, packageBytes: 0, timeMs: 1000, idleMs: 50 }, true);
  if (typeof state !== 'object') throw new Error('nothing was put aside');
  const next = await openEngine({ output: outputOf(complaints) });
  await next.restore(state.parts.map((part) => new Uint8Array(part as ArrayBuffer)));
  engine.renew();
  complaints.length = 0;
  await runIn(next, 'f(); 1');
  await runIn(engine, "Promise.reject(new Error('lost')); 1");
  expect(complaints).toHaveLength(2);
  for (const text of complaints) expect(String(text).startsWith(lost)).toBe(true);
});
