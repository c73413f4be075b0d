/** The rest of DSPy's module API: batch, save and load, histories of language-model calls, sub-modules by class. */
import fc from 'fast-check';
import { describe as group, expect, test } from 'vitest';
import fixture from '../../fixtures/dspy/saved-state.json' with { type: 'json' };
import { CodedError } from '../base/index.ts';
import { scriptedLm } from '../lm/index.ts';
import type { LanguageModel } from '../lm/index.ts';
import { createHub } from '../telemetry/index.ts';
import { sequence } from './compose/sequence.ts';
import { Example } from './example.ts';
import { programLimits } from './limits.ts';
import { isModule, Module } from './module.ts';
import { ChainOfThought } from './predict/chain-of-thought.ts';
import { Predict } from './predict/predict.ts';
import type { Run } from './run.ts';

const failure = (code: string): object => expect.objectContaining({ code }) as object;
const answering = (text = 'a'): LanguageModel =>
  scriptedLm({
    script: () =>
      `[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\n${text}\n\n[[ ## query ## ]]\nq\n\n[[ ## completed ## ]]`,
  });

interface Job {
  readonly id: number;
  readonly fails: boolean;
}
class Work extends Module<Job, number> {
  running = 0;
  most = 0;
  started = 0;
  override async forward({ id, fails }: Job, run: Run): Promise<number> {
    this.started += 1;
    this.running += 1;
    this.most = Math.max(this.most, this.running);
    await Promise.resolve();
    this.running -= 1;
    if (fails) throw new CodedError('lm/refused', `job ${id}`, { isRetryable: true });
    return id + run.depth - run.depth;
  }
}
const jobs = fc
  .array(fc.boolean(), { maxLength: 40 })
  .map((list) => list.map((fails, id): Job => ({ id, fails })));

group('batch', () => {
  test('keeps the order, stays within its concurrency, and says which examples failed and why', async () => {
    await fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 9 }), async (list, maxConcurrency) => {
        const program = new Work();
        const options = { maxConcurrency, maxErrors: Infinity };
        const outputs = list.map(({ id, fails }) => (fails ? undefined : id));
        expect(await program.batch(list, options)).toEqual(outputs);
        const told = await program.batch(list, { ...options, returnFailedExamples: true });
        const failed = list.filter(({ fails }) => fails);
        expect(told.outputs).toEqual(outputs);
        expect(told.failedExamples).toEqual(failed);
        expect(told.errors.map((error) => (error as CodedError).message)).toEqual(
          failed.map(({ id }) => `job ${id}`),
        );
        expect(program.most).toBe(Math.min(maxConcurrency, list.length));
        expect(program.running).toBe(0);
      }),
    );
  });

  test('the tenth failure ends it, as in DSPy, or the one that was said', async () => {
    const list = Array.from({ length: 100 }, (_, id): Job => ({ id, fails: true }));
    for (const [maxErrors, errors] of [
      [undefined, 10],
      [3, 3],
      [0, 1],
    ] as const) {
      const program = new Work();
      const running = program.batch(list, { maxErrors, maxConcurrency: 1 });
      await expect(running).rejects.toMatchObject({
        code: 'program/batch-failed',
        fields: { errors, done: errors, total: 100 },
        cause: failure('lm/refused'),
        isRetryable: true,
      });
      expect(program.started).toBe(errors);
    }
    const nine = list.slice(0, 9);
    expect(await new Work().batch(nine)).toEqual(nine.map(() => undefined));
  });

  test('examples give their inputs; each call is one of its own, with the settings', async () => {
    const program = new ChainOfThought('question -> answer');
    const examples = ['one', 'two'].map((question) =>
      new Example({ question, answer: 'known' }).withInputs('question'),
    );
    const lm = answering();
    const answers = await program.batch(examples, { lm });
    expect(answers.map((answer) => answer?.answer)).toEqual(['a', 'a']);
    expect(answers.map((answer) => Object.values(answer?.lmUsage ?? {})).flat()).toHaveLength(2);
    const prompts = program.lmHistory.map(({ request }) => JSON.stringify(request.messages));
    expect(prompts.some((prompt) => prompt.includes('known'))).toBe(false);
    await expect(program.batch([new Example({ question: 'q' })], { lm })).rejects.toEqual(
      failure('program/inputs-not-marked'),
    );
  });

  test('inside a forward it is part of the run', async () => {
    class All extends Module<string[], string[]> {
      readonly ask = new Predict('question -> answer');
      override async forward(questions: string[], run: Run): Promise<string[]> {
        const answers = await this.ask.batch(questions.map((question) => ({ question })));
        expect(run.trace?.entries.map(({ path }) => path)).toEqual(['ask', 'ask']);
        return answers.map((answer) => answer?.answer ?? '');
      }
    }
    expect(await new All().call(['q', 'r'], { lm: answering() })).toEqual(['a', 'a']);
  });

  test('is cancelled by its signal and by the end of the run around it; each example has its time', async () => {
    class Endless extends Module<number, number> {
      started = 0;
      override forward(): Promise<number> {
        this.started += 1;
        return new Promise(() => undefined);
      }
    }
    const list = Array.from({ length: 20 }, (_, at) => at);
    const program = new Endless();
    const controller = new AbortController();
    const running = program.batch(list, { signal: controller.signal, maxConcurrency: 2 });
    controller.abort();
    await expect(running).rejects.toEqual(failure('port/cancelled'));
    expect(program.started).toBeLessThanOrEqual(2);
    await expect(new Endless().batch(list, { signal: AbortSignal.abort() })).rejects.toEqual(
      failure('port/cancelled'),
    );
    const { errors } = await new Endless().batch([1, 2], { timeoutMs: 1, returnFailedExamples: true });
    expect(errors).toEqual([failure('port/timeout'), failure('port/timeout')]);
    class Around extends Module<number, unknown> {
      readonly inner = new Endless();
      override forward(): Promise<unknown> {
        return this.inner.batch(list, { maxConcurrency: 2 });
      }
    }
    const around = new Around();
    await expect(around.call(1, { timeoutMs: 5 })).rejects.toEqual(failure('port/timeout'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(around.inner.started).toBe(2);
  });

  test('progress after each example; a listener that throws loses nothing', async () => {
    const seen: unknown[] = [];
    const list = [0, 1].map((id): Job => ({ id, fails: id === 1 }));
    const outputs = await new Work().batch(list, {
      maxConcurrency: 1,
      onProgress: (progress) => {
        seen.push(progress);
        throw new Error('broken bar');
      },
    });
    expect(outputs).toEqual([0, undefined]);
    expect(seen).toEqual([
      { done: 1, total: 2, errors: 0 },
      { done: 2, total: 2, errors: 1 },
    ]);
  });

  test('senseless options and no list are refused', async () => {
    const program = new Work();
    expect(await program.batch([])).toEqual([]);
    await expect(program.batch('text' as never)).rejects.toEqual(failure('program/input-invalid'));
    const long = Array.from({ length: programLimits.composedItems + 1 }, () => 0);
    await expect(program.batch(long as never)).rejects.toEqual(failure('program/input-invalid'));
    await expect(program.batch([], { maxConcurrency: 0 })).rejects.toEqual(
      failure('program/composition-invalid'),
    );
    for (const maxErrors of [-1, NaN]) {
      await expect(program.batch([], { maxErrors })).rejects.toEqual(failure('program/settings-invalid'));
    }
  });
});

group('save and load', () => {
  const file = (fixture.files as Readonly<Record<string, string>>)['with-demos'] as string;
  const make = (): ChainOfThought<'context, question -> answer'> =>
    new ChainOfThought('context, question -> answer');
  const bytes = new TextEncoder().encode(file);
  const inPieces = (...pieces: unknown[]): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece as Uint8Array);
        controller.close();
      },
    });

  test('from text, bytes, a part of a buffer, a blob and a stream; and to a stream and a function', async () => {
    const wide = new Uint8Array(bytes.length + 10);
    wide.set(bytes, 5);
    const sources = [
      file,
      bytes,
      bytes.buffer,
      new DataView(wide.buffer, 5, bytes.length),
      new Blob([bytes]),
      inPieces(bytes.slice(0, 7), bytes.slice(7)),
      new Response(file).body as ReadableStream<Uint8Array>,
    ];
    for (const source of sources) {
      const program = make();
      expect(await program.load(source)).toEqual([]);
      expect(await program.save()).toBe(file);
      const written: Uint8Array[] = [];
      expect(await program.save((part) => written.push(part))).toBe(file);
      const sink = new WritableStream<Uint8Array<ArrayBuffer>>({ write: (part) => void written.push(part) });
      await program.save(sink);
      expect(written.map((part) => new TextDecoder().decode(part))).toEqual([file, file]);
    }
  });

  test('what is no saved program is refused, and nothing has changed', async () => {
    const program = make();
    await program.load(file);
    const before = program.dumpState();
    const refused: readonly (readonly [unknown, string])[] = [
      [Uint8Array.of(0x80, 4, 0x95, 1), 'program/state-pickled'],
      [Uint8Array.of(0xff, 0xfe), 'state/format-unknown'],
      [new Uint8Array(), 'state/format-unknown'],
      ['{}', 'program/state-invalid'],
      [inPieces('text'), 'program/state-invalid'],
      [undefined, 'program/state-invalid'],
      [3, 'program/state-invalid'],
      [bytes.slice(0, -20), 'program/state-invalid'],
    ];
    for (const [source, code] of refused) {
      await expect(program.load(source as never)).rejects.toEqual(failure(code));
    }
    expect(program.dumpState()).toEqual(before);
  });

  test('a source or a sink that breaks is told from a bad file; an endless one is left at the bound', async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('gone')),
    });
    await expect(make().load(broken)).rejects.toMatchObject({
      code: 'program/load-failed',
      cause: expect.objectContaining({ message: 'gone' }) as Error,
    });
    const full = (): never => {
      throw new Error('disk full');
    };
    await expect(make().save(full)).rejects.toEqual(failure('program/save-failed'));
    await expect(make().save(new WritableStream({ write: full }))).rejects.toEqual(
      failure('program/save-failed'),
    );
    let isCancelled = false;
    const piece = new Uint8Array(programLimits.stateCharacters);
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(piece),
      cancel: () => {
        isCancelled = true;
      },
    });
    await expect(make().load(endless)).rejects.toEqual(failure('program/state-invalid'));
    expect(isCancelled).toBe(true);
  });
});

group('histories of language-model calls', () => {
  test('a call stands in the history of every module that was running around it, and of no other', async () => {
    const program = sequence([new ChainOfThought('question -> query'), new Predict('query -> answer')]);
    const other = new Predict('question -> answer');
    await program.call({ question: 'What?' }, { lm: answering() });
    const counts = program.namedSubModules().map(([path, module]) => [path, module.lmHistory.length]);
    expect(counts).toEqual([
      ['self', 2],
      ['self.steps[0]', 1],
      ['self.steps[1]', 1],
      ['self.steps[0].predict', 1],
    ]);
    expect(other.lmHistory).toEqual([]);
    expect(program.lmHistory[0]).toBe(program.steps[0].predict.lmHistory[0]);
    expect(program.inspectHistory()).toContain('[[ ## query ## ]]');
    expect(program.inspectHistory(2)).toContain('What?');
    expect(program.inspectHistory()).not.toContain('What?');
    expect(other.inspectHistory()).toBe('\n\n\n\n');
  });

  test('copies start without; state holds none; a module inside itself notes a call once', async () => {
    class Again extends Module<number, unknown> {
      readonly ask = new Predict('question -> answer');
      override forward(left: number, run: Run): Promise<unknown> {
        return left > 0 ? this.call((left - 1) as never, run) : this.ask.call({ question: 'q' });
      }
    }
    const program = new Again();
    await program.call(3, { lm: answering() });
    expect(program.lmHistory).toHaveLength(1);
    expect(program.deepcopy().lmHistory).toEqual([]);
    expect(JSON.stringify(program.dumpState())).not.toContain('messages');
  });

  test('bounded in entries and bytes; 0 keeps none', async () => {
    const program = new Predict('question -> answer');
    const lm = answering();
    for (let at = 0; at < 5; at += 1) {
      await program.call({ question: `q${at}` }, { lm, historyEntries: 3 });
    }
    expect(program.lmHistory).toHaveLength(3);
    expect(program.inspectHistory()).toContain('q4');
    await program.call({ question: 'none' }, { lm, historyEntries: 0 });
    expect(program.lmHistory).toHaveLength(3);
    const question = 'x'.repeat(programLimits.lmHistoryBytes / 8);
    for (let at = 0; at < 6; at += 1) await program.call({ question }, { lm });
    const kept = program.lmHistory.reduce((sum, { request }) => sum + 2 * JSON.stringify(request).length, 0);
    expect(kept).toBeGreaterThan(programLimits.lmHistoryBytes / 2);
    expect(kept).toBeLessThan(programLimits.lmHistoryBytes);
  });

  test('1,000 entries unless said otherwise', async () => {
    const program = new Predict('question -> answer');
    const lm = answering();
    const questions = Array.from({ length: programLimits.lmHistoryEntries + 5 }, (_, at) => ({
      question: `q${at}`,
    }));
    await program.batch(questions, { lm });
    expect(program.lmHistory).toHaveLength(programLimits.lmHistoryEntries);
  });

  test('a call that is larger than the bound is answered but not kept, and a note says so', async () => {
    const program = new Predict('question -> answer');
    const telemetry = createHub();
    const notes: string[] = [];
    telemetry.subscribe((event) => {
      if (event.type === 'note') notes.push(event.text);
    });
    const question = 'x'.repeat(programLimits.lmHistoryBytes / 2);
    const { answer } = await program.call({ question }, { lm: answering(), telemetry });
    expect(answer).toBe('a');
    expect(program.lmHistory).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('too large for the history')]);
  });

  test.each([-1, 0.5, NaN])('historyEntries %d is refused', async (historyEntries) => {
    const call = new Predict('question -> answer').call({ question: 'q' }, { historyEntries });
    await expect(call).rejects.toEqual(failure('program/settings-invalid'));
  });
});

test('sub-modules by class, by guard, and all', () => {
  class Program extends Module {
    readonly think = new ChainOfThought('question -> answer');
    readonly ask = new Predict('question -> answer');
  }
  const names = (found: readonly (readonly [string, unknown])[]): string[] => found.map(([name]) => name);
  const program = new Program();
  expect(names(program.namedSubModules(Predict))).toEqual(['self.ask', 'self.think.predict']);
  expect(names(program.namedSubModules(ChainOfThought))).toEqual(['self.think']);
  expect(names(program.namedSubModules(Module))).toEqual(names(program.namedSubModules()));
  expect(names(program.namedSubModules(isModule, { maxDepth: 1 }))).toEqual([
    'self',
    'self.think',
    'self.ask',
  ]);
});
