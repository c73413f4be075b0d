/** Stream parts of work that is done once more: what the listener gets then is told apart from what it got before. */
import type { PredictDelta } from '../../program/index.ts';

/** By the listener that calls inherit. */
const known = new WeakMap<object, DeltaAttempts>();

/** The attempts behind a listener; undefined for one that is the program's own. */
export function attemptsOf(onDelta: ((delta: PredictDelta) => void) | undefined): DeltaAttempts | undefined {
  return onDelta && known.get(onDelta);
}

/** Whether a predictor is at a path of the program, or inside of what is there. */
function isAt(path: string, around: string): boolean {
  if (around === '' || path === around) return true;
  return path.startsWith(around) && (path[around.length] === '.' || path[around.length] === '[');
}

export class DeltaAttempts {
  readonly onDelta: (delta: PredictDelta) => void;
  /** The highest number told before what is at each of these paths began again. */
  readonly #before = new Map<string, number>();
  /** The highest number told. */
  #told = 0;

  constructor(listener: (delta: PredictDelta) => void) {
    this.onDelta = (delta) => listener(this.#numbered(delta));
    known.set(this.onDelta, this);
  }

  /** What is at this path, and inside of it, is done once more, unless nothing has been told. Default: everything. */
  begin(path: string = ''): void {
    this.#before.set(path, this.#told);
  }

  /** The number is of this listener: what it was inside of another worker begins at 1 in each attempt here. */
  #numbered(delta: PredictDelta): PredictDelta {
    const before = [...this.#before].map(([path, told]) => (isAt(delta.path, path) ? told : 0));
    const attempt = (delta.attempt ?? 1) + Math.max(0, ...before);
    this.#told = Math.max(this.#told, attempt);
    return attempt === 1 ? delta : { ...delta, attempt };
  }
}
