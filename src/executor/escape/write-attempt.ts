/** Short ways to write attempts that are nothing but code, judged by the suite's own watchers. */
import { aimAt, describeEnd } from './attempt.ts';
import type { Control, EscapeAttempt, EscapeFamily, Findings, Trial, Watcher } from './attempt.ts';

/** Longest that an attempt may take that should end by itself: on a busy machine one that works takes a second. */
export const shortMs = 8000;

/**
 * Put before every attempt in Python: `scope` is the best global object that Python can reach, and `options(…)` makes a plain object of it.
 * Modules are imported by name at run time, past the policy, which is no wall.
 */
const preamble = `
import importlib
js = importlib.import_module('js')
ffi = importlib.import_module('pyodide.ffi')
loader = importlib.import_module('pyodide_js')

async def reach():
    for name in ('globalThis', 'self'):
        found = getattr(js, name, None)
        if found is not None and hasattr(found, 'fetch'):
            return found
    try:
        return ffi.to_js([1]).constructor.constructor('return globalThis')()
    except BaseException:
        pass
    import asyncio
    seen = asyncio.get_running_loop().create_future()
    try:
        take = ffi.create_proxy(lambda this, *rest: seen.done() or seen.set_result(this), capture_this=True)
        js.setTimeout(take, 0)
        found = await asyncio.wait_for(seen, 1)
        if hasattr(found, 'setTimeout'):
            return found
    except BaseException:
        pass
    return js

scope = await reach()
def options(**named):
    return ffi.to_js(named, dict_converter=js.Object.fromEntries)
`;

/** What all attempts of a family have in common. */
export interface Plan {
  readonly id: string;
  readonly mechanism: string;
  readonly watcher: Watcher;
  readonly control: Control;
}

const found = async (outcome: ReturnType<Trial['execute']>): Promise<Findings> => {
  const ended = await outcome;
  return { end: describeEnd(ended), printed: ended.stdout + ended.stderr };
};

/** Python that is run in an interpreter which other attempts use as well: it must leave the interpreter as it was. */
export function inPython(family: EscapeFamily, plan: Plan, body: string): EscapeAttempt {
  const run = (trial: Trial): Promise<Findings> =>
    trial.borrow('python', (session) =>
      found(session.execute(aimAt(trial.target, `${preamble}\n${body}`), {}, { timeoutMs: shortMs })),
    );
  return { ...plan, family, language: 'python', run };
}

/** Python in an interpreter of its own, given time for what it has begun. */
export function inFreshPython(family: EscapeFamily, plan: Plan, body: string): EscapeAttempt {
  const code = `${preamble}\n${body}\nimport asyncio\nawait asyncio.sleep(0.3)`;
  const run = (trial: Trial): Promise<Findings> =>
    found(trial.execute('python', aimAt(trial.target, code), {}, { timeoutMs: shortMs }));
  return { ...plan, family, language: 'python', run };
}

const lingering = '\nawait new Promise((done) => setTimeout(done, 300))';

/** JavaScript; without walls the platform's own runs it, in a worker of the page. */
export function inJavaScript(family: EscapeFamily, plan: Plan, body: string): EscapeAttempt {
  const run = (trial: Trial): Promise<Findings> =>
    found(trial.execute('javascript', aimAt(trial.target, body) + lingering, {}, { timeoutMs: shortMs }));
  return { ...plan, family, language: 'javascript', run };
}

/** A script in the place of the guest, with `guest` and `target` at hand; see `bare-guest.ts`. */
export function inWorker(family: EscapeFamily, plan: Plan, body: string): EscapeAttempt {
  const run = (trial: Trial): Promise<Findings> =>
    found(
      trial.execute(
        'worker',
        plan.id,
        { variables: { target: { ...trial.target } } },
        { timeoutMs: shortMs },
      ),
    );
  return { ...plan, family, language: 'worker', scripts: { [plan.id]: body + lingering }, run };
}
