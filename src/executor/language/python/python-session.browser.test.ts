/** Sessions of Python that lose their interpreter. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../../executor.ts';
import { expectType, valueOf } from '../../laws/open-executor.contract.ts';
import { createPythonExecutor } from './python-executor.ts';

const assets = { baseUrl: '/sandbox/' };
/** Only the end of its worker stops it. */
const stuck = 'sum(range(10**12))';
const soon = { timeoutMs: 400 };

let executor: Executor;
beforeAll(() => {
  const limits = { checkpointBytes: 8 * 2 ** 20, checkpointMs: 15_000 };
  executor = createPythonExecutor({ assets, frame: 'srcdoc', limits });
});
afterAll(() => executor[Symbol.asyncDispose]());

test('a sleep ends when the run is to stop, as long as it says otherwise, and the session keeps its variables', async () => {
  await using session = await executor.createSession();
  await session.execute('import time\nkept = 5');
  const late = await session.execute('time.sleep(60)', {}, { timeoutMs: 100 });
  expect(late).toMatchObject({ type: 'exceeded', limit: 'time', isSandboxLost: false });
  const onOutput = (): void => session.interrupt();
  const stopped = await session.execute('print("x", end="")\ntime.sleep(60)', {}, { onOutput });
  expect(stopped).toMatchObject({ type: 'cancelled', stdout: 'x', isSandboxLost: false });
  const lengths = `def length(seconds):
  began = time.monotonic()
  return [time.sleep(seconds), time.monotonic() - began - seconds]
[length(n) for n in (0, 0.005, 0.1, True)]`;
  const told = (await valueOf(session, lengths)) as [null, number][];
  expect(told.every(([nothing, over]) => nothing === null && over >= 0 && over < 0.5)).toBe(true);
  const wrong = `def refusal(x):
  try: time.sleep(x)
  except Exception as error: return type(error).__name__
[kept, [refusal(x) for x in (-1, float("nan"), float("inf"), 1e300, "1", None)]]`;
  expect(await valueOf(session, wrong)).toEqual([
    5,
    ['ValueError', 'ValueError', 'OverflowError', 'OverflowError', 'TypeError', 'TypeError'],
  ]);
});

test('a list of 5 MB, and what later runs add, come back', async () => {
  await using session = await executor.createSession();
  await session.execute('data = [n * 1.5 for n in range(600_000)]');
  await session.execute('name = "later"');
  await session.execute('data.append(-1.0)');
  const told = await session.execute(stuck, {}, soon);
  expect(told).toMatchObject({
    isSandboxLost: true,
    restored: { names: ['data', 'name'], lost: [], missedRuns: 0 },
  });
  expect(await valueOf(session, '[len(data), data[2], data[-1], name]')).toEqual([600_001, 3, -1, 'later']);
}, 30_000);

test('a change in place of what takes long waits for a quiet moment, and is counted until then', async () => {
  await using busy = createPythonExecutor({
    assets,
    frame: 'srcdoc',
    limits: { checkpointMs: 15_000, checkpointIdleMs: 60_000 },
  });
  await using session = await busy.createSession();
  await session.execute('data = [str(n) for n in range(100_000)]');
  await session.execute('data[0] = "changed"');
  expect(await session.execute(stuck, {}, soon)).toMatchObject({ restored: { missedRuns: 1 } });
  expect(await valueOf(session, 'data[0]')).toBe('0');
}, 30_000);

test.each([
  [
    'an attribute that looks for itself',
    'class A:\n  def __getattr__(self, name): return getattr(self, name + "x")\nA().a',
  ],
  ['text nested too deep', 'import json\njson.loads("[" * 100000)'],
])(
  '%s is the guest’s own error, nothing of ours is printed, and the session comes back',
  async (_what, code) => {
    await using session = await executor.createSession();
    await session.execute('kept = 5');
    const told = await session.execute(`print("before")\n${code}`);
    expect(told).toMatchObject({
      type: 'threw',
      error: { type: 'RecursionError', line: null },
      stdout: 'before\n',
      stderr: '',
      isSandboxLost: true,
      restored: { names: ['kept'], lost: [], missedRuns: 0 },
    });
    expect(await valueOf(session, 'kept')).toBe(5);
  },
  30_000,
);

test('functions, classes and what is bound to them come back by value', async () => {
  await using session = await executor.createSession();
  await session.execute(`
import abc, collections, dataclasses, enum, functools, typing
def counter():
  n = 0
  def up():
    nonlocal n
    n += 1
    return n
  return up, lambda: n
up, seen = counter()
up()
class Base(abc.ABC):
  "text"
  made = []
  def __init__(self, size: int = 2): self.size = size
  @property
  def double(self): return self.size * 2
  @classmethod
  def make(cls): return cls(5)
  @abc.abstractmethod
  def name(self): ...
class Child(Base):
  __slots__ = ("extra",)
  def name(self): return __class__.__name__
  def __init__(self): super().__init__(3); self.extra = 1
child = Child()
@dataclasses.dataclass
class Point:
  x: int
  tags: list = dataclasses.field(default_factory=list)
class Color(enum.Enum):
  RED = 1
  def low(self): return self.name.lower()
color = Color.RED
class Pair(typing.NamedTuple):
  a: int
  b: str = "z"
  def both(self): return f"{self.a}{self.b}"
T = typing.TypeVar("T")
class Box(typing.Generic[T]):
  def __init__(self, item: T): self.item = item
box = Box[int](1)
@functools.lru_cache
def cached(n): return fact(n)
def fact(n): return 1 if n < 2 else n * fact(n - 1)
ring = {}
ring["me"] = ring
`);
  expect((await session.execute(stuck, {}, soon)).restored?.lost).toEqual([]);
  const asked = `
try:
  Base()
  refused = False
except TypeError:
  refused = True
[seen(), up(), seen(), child.name(), child.double, child.extra, refused, Base.__doc__, Point(1) == Point(1, []),
 color is Color.RED, color.low(), Pair(1).both(), box.item, cached(5), fact.__globals__ is globals(), ring["me"] is ring]`;
  expect(await valueOf(session, asked)).toEqual([
    1,
    2,
    2,
    'Child',
    6,
    1,
    true,
    'text',
    true,
    true,
    'red',
    '1z',
    1,
    120,
    true,
    true,
  ]);
});

test('what cannot be put aside is lost by name, with its reason, and harms nothing else', async () => {
  await using session = await executor.createSession();
  await session.execute(`
x = 1
deep = []
for n in range(100_000): deep = [deep]
class Node: pass
chain = None
for n in range(50_000):
  node = Node()
  node.next, chain = chain, node
del node, n
class Loud:
  def __reduce__(self): raise SystemExit("no")
loud = Loud()
big = bytes(2**23)
open("/sandbox/big", "wb").write(bytes(2**23))
last = 2`);
  const { restored } = await session.execute(stuck, {}, soon);
  expect(restored?.names.toSorted()).toEqual(['Loud', 'Node', 'last', 'x']);
  expect(Object.fromEntries(restored?.lost.map(({ name, reason }) => [name, reason]) ?? [])).toEqual({
    deep: expect.stringContaining('200 levels'),
    chain: expect.stringContaining('200 levels'),
    loud: 'SystemExit: no',
    big: expect.stringContaining('8388608 bytes'),
    '/sandbox/big': expect.stringContaining('8388608 bytes'),
  });
  expect(await valueOf(session, '[x, last]')).toEqual([1, 2]);
});

test('what runs when it is read back is the guest’s: it prints nothing, calls nothing, and cannot hold the session up', async () => {
  const limits = { restoreMs: 500 };
  await using own = createPythonExecutor({ assets, frame: 'srcdoc', limits });
  await using session = await own.createSession();
  await session.execute(`
x = 1
class Trap:
  def __getstate__(self): return [1]
  def __setstate__(self, state):
    print("heard")
    sum(range(10**12))
trap = Trap()`);
  await session.execute(stuck, {}, soon);
  const next = expectType(await session.execute('"x" in globals()'), 'returned');
  expect(next).toMatchObject({ value: false, stdout: '', restored: { names: [] } });
  expect(next.restored?.lost.map(({ name }) => name)).toEqual(['x', 'Trap', 'trap']);
});
