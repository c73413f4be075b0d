/** What a run is given around its code, what the policy says of it, and what it shows: the spelling is Python's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DisplayValue } from '../display.ts';
import type { Executor } from '../executor.ts';
import { codeOf, expectType, valueOf } from './open-executor.contract.ts';
import type { OpenExecutor } from './open-executor.contract.ts';

/** @param open makes an executor of the kind under test */
export function surroundingLaws(open: OpenExecutor): void {
  let executor: Executor;
  beforeAll(() => {
    executor = open({ limits: { displays: 5, displayBytes: 10_000 } });
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  test('variables of the environment are there, and no others than its own', async () => {
    const context = { environment: { NAME: 'é', HOME: '/other' } };
    const code = 'import os\n[os.environ["NAME"], os.environ["HOME"], os.environ.get("toString")]';
    expect(await executor.execute(code, context)).toMatchObject({ value: ['é', '/other', null] });
    expect(await valueOf(executor, 'import os\n"NAME" in os.environ')).toBe(false);
  });

  test('the code starts in its folder, which is made', async () => {
    const context = { workingDirectory: 'a/b', files: { 'a/b/x': '1' } };
    expect(await executor.execute('import os\n[os.getcwd(), open("x").read()]', context)).toMatchObject({
      value: ['/sandbox/a/b', '1'],
    });
  });

  test.each<[string, string, () => Promise<unknown>]>([
    [
      'a name with a dash',
      'executor/option-invalid',
      () => executor.execute('1', { environment: { 'a-b': '' } }),
    ],
    [
      'a value with NUL',
      'executor/option-invalid',
      () => executor.execute('1', { environment: { a: '\0' } }),
    ],
    ['a number', 'executor/option-invalid', () => executor.execute('1', { environment: { a: 1 as never } })],
    ['a path upwards', 'executor/option-invalid', () => executor.execute('1', { workingDirectory: '../x' })],
    [
      'an absolute path',
      'executor/option-invalid',
      () => executor.execute('1', { workingDirectory: '/etc' }),
    ],
  ])('%s is refused', async (_name, code, work) => {
    expect(await codeOf(work())).toBe(code);
  });

  test('what the policy does not let be handed over is denied by its rule, and nothing runs', async () => {
    await using strict = open({
      policy: { files: ['data/**'], environment: ['A'], deniedGlobals: ['eval'] },
    });
    const denied = { type: 'denied', code: 'executor/denied', line: null, stdout: '' };
    expect(await strict.execute('print(1)', { files: { 'other/x': '' } })).toMatchObject({
      ...denied,
      permission: 'file',
      name: 'other/x',
      rule: 'files',
    });
    expect(await strict.execute('print(1)', { environment: { A: '1', B: '2' } })).toMatchObject({
      ...denied,
      permission: 'environment',
      name: 'B',
    });
    const handed = { files: { 'data/x': '' }, environment: { A: '1' } };
    expect(await strict.execute('1', handed)).toMatchObject({ value: 1 });
    expect(await strict.execute('print(1)\nx = eval("2")')).toMatchObject({
      ...denied,
      permission: 'global',
      name: 'eval',
      rule: 'deniedGlobals["eval"]',
      line: 2,
      column: 5,
    });
  });

  const rich =
    'class Rich:\n  def _repr_html_(self): return "<b>é</b>"\n  def __repr__(self): return "plain"\n';

  test('a rich value is shown as it is made, in its order with the text', async () => {
    const seen: (string | DisplayValue)[] = [];
    const outcome = await executor.execute(
      `${rich}print("a")\ndisplay(Rich())\nprint("b")`,
      {},
      { onOutput: ({ text }) => void seen.push(text), onDisplay: (value) => void seen.push(value) },
    );
    const bundle = { 'text/html': '<b>é</b>', 'text/plain': 'plain' };
    expect(seen.map((part) => (typeof part === 'string' ? part : { ...part }))).toEqual([
      'a\n',
      bundle,
      'b\n',
    ]);
    expect(outcome.displays).toHaveLength(1);
    expect(Object.getPrototypeOf(outcome.displays?.[0])).toBe(null);
  });

  test('the last value is shown where it has more than text, and arrives as its text', async () => {
    const outcome = expectType(await executor.execute(`${rich}Rich()`), 'returned');
    expect(outcome.value).toBe('plain');
    expect(outcome.displays).toMatchObject([{ 'text/html': '<b>é</b>' }]);
    expect((await executor.execute('[1]')).displays).toBeUndefined();
  });

  test('bundles, pictures and tables are shown; types that are not known are left out', async () => {
    const code = `class Picture:
  def _repr_mimebundle_(self, include=None, exclude=None):
    return {"image/png": b"\\x89PNG", "application/x-evil": "x", "application/json": {"a": [1]}}
display(Picture())
display({"text/plain": "t", "__proto__": "p"}, raw=True)`;
    const { displays } = await executor.execute(code);
    expect(displays?.map((value) => ({ ...value }))).toEqual([
      {
        'image/png': 'iVBORw==',
        'application/json': '{"a": [1]}',
        'text/plain': expect.any(String) as string,
      },
      { 'text/plain': 't' },
    ]);
  });

  test.each([
    ['one value too many', 'for n in range(10): display(n)', 5],
    ['one that is too large', 'display("x" * 20_000)', 0],
    ['too much together', 'for n in range(4): display("x" * 4000)', 2],
    ['whoever catches it', 'while True:\n  try: display(1)\n  except BaseException: pass', 5],
  ])('%s ends the run', async (_name, code, count) => {
    const outcome = await executor.execute(code, {}, { timeoutMs: 5000 });
    expect(outcome).toMatchObject({ type: 'exceeded', limit: 'output' });
    expect(outcome.displays?.length ?? 0).toBe(count);
    expect(await valueOf(executor, '1')).toBe(1);
  });

  test('a listener that throws, and an object that answers every name, harm nobody', async () => {
    const onDisplay = (): void => {
      throw new Error('mine');
    };
    expect(await executor.execute('display(1)\n2', {}, { onDisplay })).toMatchObject({ value: 2 });
    const mock = 'class M:\n  def __getattr__(self, name): return lambda *a: 1 / 0\ndisplay(M())\n3';
    expect(await executor.execute(mock)).toMatchObject({ value: 3 });
  });
}
