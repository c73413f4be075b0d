import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Executor } from '../../executor.ts';
import { createPythonExecutor } from './python-executor.ts';
import { buildWheel } from './package/wheel-test-scene.ts';

let executor: Executor;
beforeAll(() => {
  executor = createPythonExecutor({ assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' });
});
afterAll(() => executor[Symbol.asyncDispose]());

/** The MIME bundles that the code shows, with what it printed as an error. */
async function shownBy(code: string) {
  const outcome = await executor.execute(code);
  expect(outcome).toMatchObject({ type: 'returned' });
  return { displays: outcome.displays ?? [], stderr: outcome.stderr };
}

test('a value is asked for its bundle as notebooks ask, with its metadata left out', async () => {
  const code = `
class Rich:
  def _repr_mimebundle_(self, include, exclude): return {"text/html": "<b>h</b>", "text/plain": "h"}, {"text/html": {"isolated": True}}
  def _repr_html_(self): return "not asked"
  def _repr_png_(self): return b"\\x89", {"width": 1}
class Bare:
  def _repr_mimebundle_(self): return {"text/markdown": "*m*"}
display(Rich(), Bare())`;
  expect((await shownBy(code)).displays).toEqual([
    { 'text/html': '<b>h</b>', 'text/plain': 'h', 'image/png': 'iQ==' },
    { 'text/markdown': '*m*', 'text/plain': expect.stringContaining('Bare') as string },
  ]);
});

test('a form that fails is left out and told; others are shown', async () => {
  const code = `
class Half:
  def __repr__(self): return "half"
  def _repr_html_(self): raise ValueError("no html")
  def _repr_svg_(self): raise NotImplementedError
  def _repr_mimebundle_(self, include=None, exclude=None): return 5
  def _repr_markdown_(self): return "*m*"
Half()`;
  expect(await shownBy(code)).toEqual({
    displays: [{ 'text/markdown': '*m*', 'text/plain': 'half' }],
    stderr: '_repr_html_ of Half: ValueError: no html\n',
  });
});

// matplotlib itself cannot be had here: this stands in for the parts of it that are used, with its names. It draws nothing.
const pyplot = `
from matplotlib.figure import Figure
figures = {}
def figure(number=None):
  number = number or len(figures) + 1
  return figures.setdefault(number, Figure(number))
def get_fignums(): return sorted(figures)
def close(which): figures.clear()
def show():
  import importlib, os
  importlib.import_module(os.environ["MPLBACKEND"].removeprefix("module://")).show()
`;
const figureModule = `
class Figure:
  def __init__(self, number): self.number = number
  def __repr__(self): return f"<Figure {self.number}>"
  def savefig(self, file, format, bbox_inches): file.write(f"{format} {self.number}".encode())
`;
const wheel = buildWheel({
  name: 'matplotlib',
  files: {
    'matplotlib/__init__.py': '',
    'matplotlib/backends/__init__.py': '',
    'matplotlib/backends/backend_agg.py': 'class FigureCanvasAgg: pass',
    'matplotlib/figure.py': figureModule,
    'matplotlib/pyplot.py': pyplot,
  },
});
const picture = (number: number) => ({
  'image/png': btoa(`png ${number}`),
  'text/plain': `<Figure ${number}>`,
});

test('figures are shown as pictures: by show, as the last value, and when they are left open', async () => {
  await using session = await executor.createSession();
  const packages = [{ wheel }];
  const code =
    'import matplotlib.pyplot as plt\nplt.figure()\nplt.figure()\nprint("text")\nplt.show()\nplt.figure(5)\nplt.figure(6)';
  const outcome = await session.execute(code, { packages });
  // the last value is open too, and shown once
  expect(outcome).toMatchObject({ type: 'returned', value: '<Figure 6>' });
  expect(outcome.displays).toEqual([1, 2, 5, 6].map(picture));
  expect((await session.execute('plt.get_fignums()')).displays).toBeUndefined();
  expect((await session.execute('display(plt.Figure(7))')).displays).toEqual([picture(7)]);
});
