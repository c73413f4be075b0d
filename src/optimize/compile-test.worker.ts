/** Compiles in a worker, for labeled-few-shot.browser.test.ts: a message begins, another cancels. */
import { isCodedError } from '../base/index.ts';
import { Module, Predict } from '../program/index.ts';
import { LabeledFewShot } from './labeled-few-shot.ts';

class Wide extends Module {
  readonly all: Module[] = [];
  constructor(count: number) {
    super();
    for (let at = 0; at < count; at += 1) this.all.push(new Predict('question -> answer'));
  }
}

export interface CompileTask {
  readonly predictors: number;
  readonly k: number;
  readonly trainset: readonly { readonly question: string; readonly answer: string }[];
}

const controller = new AbortController();

async function compile({ predictors, k, trainset }: CompileTask): Promise<void> {
  const student = new Wide(predictors);
  const before = JSON.stringify(student.dumpState());
  const { signal } = controller;
  try {
    const program = await new LabeledFewShot({ k }).compile(student, {
      trainset,
      signal,
      onProgress: (progress) => postMessage({ progress }),
    });
    postMessage({ state: program.dumpState() });
  } catch (error) {
    const isUnchanged = JSON.stringify(student.dumpState()) === before;
    postMessage({ code: isCodedError(error) ? error.code : String(error), isUnchanged });
  }
}

addEventListener('message', ({ data }: MessageEvent<CompileTask | 'cancel'>) => {
  if (data === 'cancel') controller.abort();
  else void compile(data);
});
