import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../../executor.ts';
import { codeOf, valueOf } from '../../laws/open-executor.contract.ts';
import { openPackageCache } from '../../package-cache.ts';
import type { PackageIndex } from '../../package.ts';
import { extension } from './package/extension-test-scene.ts';
import { markerEnvironment } from './package/python-target.ts';
import { buildWheel } from './package/wheel-test-scene.ts';
import { createPythonExecutor } from './python-executor.ts';
import type { PythonExecutorOptions } from './python-executor.ts';

const databaseName = 'package-test';
const cache = openPackageCache(databaseName, 80_000);
const packageIndex: PackageIndex = {
  form: 'pyodide-lock',
  url: '/fixtures/python/packages/pyodide-lock.json',
  cache,
};
const policy = {
  packages: [
    { origin: location.origin, names: ['six', 'attrs', 'nobody'] },
    { origin: 'page', names: ['*'] },
  ],
};

type Settings = Pick<PythonExecutorOptions, 'limits' | 'packageIndex' | 'policy'>;

function open(options: Settings = {}): Executor {
  return createPythonExecutor({
    assets: { baseUrl: '/sandbox/' },
    frame: 'srcdoc',
    packageIndex,
    policy,
    ...options,
  });
}

let executor: Executor;
beforeAll(() => {
  executor = open();
});
afterAll(async () => {
  await executor[Symbol.asyncDispose]();
  indexedDB.deleteDatabase(databaseName);
});

const tiny = buildWheel({
  name: 'tiny-thing',
  version: '1.2',
  files: { 'tiny_thing/__init__.py': 'answer = 42', 'tiny_thing/data.txt': 'é' },
});

test('a wheel that is handed over can be imported, and says what it is', async () => {
  const code = `
import importlib.metadata as metadata, importlib.resources as resources, tiny_thing
[tiny_thing.answer, metadata.version("tiny-thing"), resources.files(tiny_thing).joinpath("data.txt").read_text()]`;
  const packages = [{ wheel: tiny }];
  expect(await executor.execute(code, { packages })).toMatchObject({
    type: 'returned',
    value: [42, '1.2', 'é'],
  });
  const gone = await executor.execute('import tiny_thing');
  expect(gone).toMatchObject({ type: 'threw', error: { type: 'ModuleNotFoundError' } });
});

test('a package is had by its name with what it needs, and stays in a session', async () => {
  await using session = await executor.createSession();
  const first = await session.execute('import attrs, six\n[attrs.__version__, six.__version__]', {
    packages: ['attrs>=25'],
  });
  expect(first).toMatchObject({ value: ['25.3.0', '1.17.0'] });
  const code = '@attrs.define\nclass Point:\n  x: int\nrepr(Point(1))';
  expect(await session.execute(code)).toMatchObject({ value: 'Point(x=1)' });
});

test('in a session another version takes the place of the one that was there', async () => {
  const wheelOf = (version: string, file: string) => ({
    wheel: buildWheel({ name: 'tiny-thing', version, files: { [`tiny_thing/${file}`]: '' } }),
  });
  await using session = await executor.createSession();
  await session.execute('1', { packages: [wheelOf('1.2', 'parts/old.py')] });
  const code =
    'import importlib.metadata as metadata, os, tiny_thing\n' +
    '[[d.version for d in metadata.distributions()], sorted(os.listdir(list(tiny_thing.__path__)[0]))]';
  expect(await session.execute(code, { packages: [wheelOf('1.3', 'recent.py')] })).toMatchObject({
    type: 'returned',
    value: [['1.3'], ['recent.py']],
  });
});

/** Only the end of its worker stops it. */
const stuck = 'sum(range(10**12))';

test('packages come back after a kill, however they came, with the variables that hold something of theirs', async () => {
  await using session = await executor.createSession();
  await session.execute('import attrs, six', { packages: ['attrs>=25', 'six'] });
  await session.execute('import micropip\nmicropip.uninstall("six")\ndel six');
  await session.execute('import tiny_thing', { packages: [{ wheel: tiny }] });
  await session.execute('made = attrs.Factory(list)\nbefore = 1');
  const told = await session.execute(stuck, {}, { timeoutMs: 100 });
  expect(told).toMatchObject({ isSandboxLost: true, restored: { lost: [], missedRuns: 0 } });
  const code = `
import importlib.metadata as metadata, importlib.util, sys
[type(made) is attrs.Factory, made.factory(), attrs.__version__, tiny_thing.answer, metadata.version("tiny-thing"), importlib.util.find_spec("six") is None]`;
  expect(await valueOf(session, code)).toEqual([true, [], '25.3.0', 42, '1.2', true]);
  // and once more, of what came back and what was installed since
  const add = 'import micropip\nawait micropip.install("six")\nimport six\nlater = six.__version__';
  await session.execute(add);
  await session.execute(stuck, {}, { timeoutMs: 100 });
  const asked = '[later, six.__version__, tiny_thing.answer, made.factory()]';
  expect(await valueOf(session, asked)).toEqual(['1.17.0', '1.17.0', 42, []]);
}, 30_000);

test('packages for which there is no room are lost by name, and what needs them; nothing else is', async () => {
  await using narrow = open({ limits: { packageBytes: 700 } });
  await using session = await narrow.createSession();
  const code = 'import tiny_thing\nfrom tiny_thing import answer\nkept = [1]';
  await session.execute(code, { packages: [{ wheel: tiny }] });
  const told = await session.execute(stuck, {}, { timeoutMs: 100 });
  expect(told.restored?.names).toEqual(['answer', 'kept']);
  expect(told.restored?.lost).toEqual([
    { name: 'tiny_thing', reason: expect.stringContaining('needs the package') },
    { name: 'the package tiny_thing-1.2', reason: expect.stringContaining('700 bytes') },
  ]);
  expect(await valueOf(session, '[answer, kept]')).toEqual([42, [1]]);
});

test('a program installs packages in the words of micropip', async () => {
  const code = `
import micropip
await micropip.install(["six"])
import six
before = sorted(micropip.list().items())
micropip.uninstall("six")
[six.__version__, before, list(micropip.list())]`;
  expect(await executor.execute(code)).toMatchObject({
    type: 'returned',
    value: ['1.17.0', [['six', '1.17.0']], []],
  });
});

test('a package that is asked for while the program runs, and is not there, is an exception with its code', async () => {
  const code = `
import micropip
codes = []
for wanted in ["nobody", "six @ https://evil.example/six.whl", "six>99"]:
  try: await micropip.install(wanted)
  except RuntimeError as error: codes.append(error.code)
codes`;
  const [unknown, address, version] = (await valueOf(executor, code)) as readonly string[];
  expect([unknown, address, version]).toEqual([
    'executor/package-not-found',
    'executor/package-invalid',
    'executor/package-not-found',
  ]);
});

test('what the policy does not name is denied with its rule, before the run and in it', async () => {
  await using strict = open({ policy: { packages: [{ origin: location.origin, names: ['attrs'] }] } });
  const denied = {
    type: 'denied',
    permission: 'package',
    name: 'six',
    rule: `packages["${location.origin}"]`,
  };
  expect(await strict.execute('print(1)', { packages: ['six'] })).toMatchObject({
    ...denied,
    line: null,
    stdout: '',
  });
  const code = 'import micropip\nprint(1)\nawait micropip.install("attrs")';
  expect(await strict.execute(code)).toMatchObject({ ...denied, line: 3, stdout: '1\n' });
  expect(await strict.execute('1', { packages: [{ wheel: tiny }] })).toMatchObject({
    ...denied,
    name: 'tiny-thing',
    rule: 'packages',
  });
  await using byDefault = open({ policy: {} });
  expect(await byDefault.execute('1', { packages: ['six'] })).toMatchObject({
    type: 'denied',
    rule: 'packages',
  });
});

test.each<[string, string, () => Promise<unknown>]>([
  [
    'a package that is no wheel',
    'executor/package-invalid',
    () => executor.execute('1', { packages: [{ wheel: new Uint8Array(9) }] }),
  ],
  [
    'a package that is a number',
    'executor/package-invalid',
    () => executor.execute('1', { packages: [1 as never] }),
  ],
  [
    'a wheel under a wrong name',
    'executor/package-invalid',
    () => executor.execute('1', { packages: [{ wheel: tiny, name: 'six' }] }),
  ],
  [
    'a name that nobody has',
    'executor/package-not-found',
    () => executor.execute('1', { packages: ['nobody'] }),
  ],
  ['what is no list', 'executor/package-invalid', () => executor.execute('1', { packages: 5 as never })],
  [
    'more than may be',
    'executor/package-limit',
    () => executor.execute('1', { packages: Array(65).fill('six') }),
  ],
  [
    'a large wheel',
    'executor/package-limit',
    () => executor.execute('1', { packages: [{ wheel: new Uint8Array(17 * 2 ** 20) }] }),
  ],
])('%s is refused', async (_name, code, work) => {
  expect(await codeOf(work())).toBe(code);
});

test('packages count against the files that a guest may have', async () => {
  await using small = open({ limits: { fileBytes: 10_000 } });
  const wheel = buildWheel({ name: 'large', files: { 'large.py': '#'.repeat(50_000) } });
  const outcome = await small.execute('1', { packages: [{ wheel }] });
  expect(outcome).toMatchObject({ type: 'threw', error: { type: 'OSError' } });
});

test('what was had once is there without a network; the oldest goes when there is no more room', async () => {
  await valueOf(executor, '1');
  const offline = { ...packageIndex, fetch: () => Promise.reject(new TypeError('no network')) };
  await using away = open({ packageIndex: offline });
  expect(await away.execute('import six\nsix.__version__', { packages: ['six'] })).toMatchObject({
    value: '1.17.0',
  });
  const later = { digest: '', storedAtMs: 9e15, content: new Blob([new Uint8Array(79_000)]) };
  await cache.write('other', later);
  expect(await codeOf(away.execute('1', { packages: ['attrs'] }))).toBe('executor/package-unavailable');
  expect(await cache.read('other')).toMatchObject({ storedAtMs: 9e15 });
});

test('a compiled package is loaded when it is imported', async () => {
  const tag = 'cp314-cp314-pyemscripten_2026_0_wasm32';
  const files = { 'tiny_native.cpython-314-wasm32-emscripten.so': extension };
  const wheel = buildWheel({ name: 'tiny-native', tag, files });
  const code = 'import tiny_native\n[tiny_native.answer(), tiny_native.__name__]';
  expect(await executor.execute(code, { packages: [{ wheel }] })).toMatchObject({
    value: [42, 'tiny_native'],
  });
});

/** As an index lists them, for several interpreters; only the last one's file is there. */
const compiled = {
  xxhash: 'xxhash-4.1.0',
  msgpack: 'msgpack-1.2.4',
};
const hashes = {
  xxhash: 'eb2a048fad81ab55ef3e835b8440a73bb7b8b709140a1e9fe77091863b2172c5',
  msgpack: '06a0657a4110d563255006b7cb7147432f67827144e429c2cdb1c967548d1817',
};
const tags = [
  'cp315-cp315-pyemscripten_2026_5_wasm32',
  'cp313-cp313-pyemscripten_2025_0_wasm32',
  'cp314-cp314-manylinux_2_28_x86_64',
  'cp314-cp314-pyemscripten_2026_0_wasm32',
];

const realIndex: PackageIndex = {
  form: 'simple',
  url: '/fixtures/python/packages/simple/',
  fetch(input, init) {
    const name = new URL(input).pathname.split('/').at(-2) as keyof typeof compiled;
    if (!(name in compiled)) return fetch(input, init);
    const links = tags.map((tag) => {
      const file = `${compiled[name]}-${tag}.whl`;
      return `<a href="../../${file}#sha256=${hashes[name]}">${file}</a>`;
    });
    const headers = { 'content-type': 'text/html' };
    return Promise.resolve(new Response(`<!doctype html>${links.join('')}`, { headers }));
  },
};

test('of what projects publish for many interpreters the one for this is had by name, and its machine code runs', async () => {
  const policyOf = { packages: [{ origin: location.origin, names: ['xxhash', 'msgpack'] }] };
  await using real = open({ packageIndex: realIndex, policy: policyOf });
  const code = `
import msgpack, xxhash
[xxhash.xxh32(b"a", seed=0).hexdigest(), msgpack._cmsgpack.__name__, msgpack.unpackb(msgpack.packb({"a": [1, 2.5]}))]`;
  const outcome = await real.execute(code, { packages: ['xxhash', 'msgpack>=1.2'] });
  // XXH32 of "a" with a seed of 0 is 0x550d7456
  expect(outcome).toMatchObject({
    type: 'returned',
    value: ['550d7456', 'msgpack._cmsgpack', { a: [1, 2.5] }],
  });
});

test('packages are chosen for the Python that runs', async () => {
  const code = `
import os, platform, sys
version = ".".join(map(str, sys.version_info[:3]))
dict(os_name=os.name, sys_platform=sys.platform, platform_machine=platform.machine(),
  platform_python_implementation=platform.python_implementation(), platform_release=platform.release(),
  platform_system=platform.system(), platform_version=platform.version(), python_version=".".join(platform.python_version_tuple()[:2]),
  python_full_version=platform.python_version(), implementation_name=sys.implementation.name, implementation_version=version)`;
  expect(await valueOf(executor, code)).toEqual(markerEnvironment);
});
