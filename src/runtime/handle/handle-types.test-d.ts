import { Module, Parameter, Predict } from '../../program/index.ts';
import type { TensorValue } from '../../program/index.ts';
import type { ModuleHandle } from './handle.ts';
import type { ParameterHandle } from '../parameter/parameter-handle.ts';
import { createRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { serve } from '../worker/serve.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | undefined {
  return undefined;
}

class Answer extends Module<{ question: string; rows?: number }, { text: string }> {
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 3 });
  readonly tone: Parameter<'dry' | 'warm'> = new Parameter<'dry' | 'warm'>({ type: 'string', value: 'dry' });
  readonly weights: Parameter<TensorValue> = new Parameter({
    type: 'tensor',
    value: { shape: [1], data: new Float64Array(1) },
  });
  readonly notes: string = 'no parameter';
  readonly ask: Predict<'question -> text'> = new Predict('question -> text');

  override async forward({ question }: { question: string; rows?: number }): Promise<{ text: string }> {
    return { text: question };
  }
}

class Predicts extends Module {
  readonly ask: Predict<'question, k: int -> answer: list[str], ok: bool'> = new Predict(
    'question, k: int -> answer: list[str], ok: bool',
  );

  override async forward(input: { question: string; k: number }) {
    return this.ask.call(input);
  }
}

class Bare extends Module {}

const served = serve({ answer: Answer, predicts: Predicts, bare: Bare });
type Served = typeof served.modules;
const runtime = createRuntime<Served>({});
assertType<Equal<typeof runtime, Runtime<Served>>>();

// By kind and by class the handle is the same.
const byKind = await runtime.start('answer');
const byClass = await runtime.start(Answer);
assertType<Equal<typeof byKind, ModuleHandle<Answer>>>();
assertType<Equal<typeof byClass, ModuleHandle<Answer>>>();
// @ts-expect-error no such kind is served
await runtime.start('anwser');
// @ts-expect-error this class is not served
await runtime.start(Map);

// Input and reply.
const reply = await byKind.call({ question: 'q', rows: 2 });
assertType<Equal<typeof reply, { text: string }>>();
// @ts-expect-error a field is missing
await byKind.call({ rows: 2 });
// @ts-expect-error a field of the wrong type
await byKind.call({ question: 7 });
// @ts-expect-error a field that does not exist
await byKind.call({ question: 'q', row: 2 });

// Predictions become their plain fields.
const predicts = await runtime.start('predicts');
const fields = await predicts.call({ question: 'q', k: 1 });
assertType<Equal<typeof fields, { answer: string[]; ok: boolean }>>();
// @ts-expect-error a method of a prediction does not cross
fields.toDict();

// Parameters: the class's own names with their value types, and nothing else.
assertType<Equal<keyof typeof byKind.parameters, 'limit' | 'tone' | 'weights'>>();
assertType<Equal<typeof byKind.parameters.limit, ParameterHandle<number>>>();
assertType<Equal<typeof byKind.parameters.weights.value, TensorValue>>();
const tone = await byKind.parameters.tone.get();
assertType<Equal<typeof tone, 'dry' | 'warm'>>();
await byKind.parameters.limit.set(4, { level: 'memory' });
byKind.parameters.limit.subscribe((newValue, oldValue) => newValue - oldValue);
// @ts-expect-error a text is no number
await byKind.parameters.limit.set('4');
// @ts-expect-error not one of the two
await byKind.parameters.tone.set('cold');
// @ts-expect-error no such level
await byKind.parameters.limit.set(4, { level: 'durable' });
// @ts-expect-error a field that is no parameter
void byKind.parameters.notes;
// @ts-expect-error parameters are read through their handles
byKind.parameters.limit = 4;
assertType<Equal<keyof typeof predicts.parameters, never>>();

// Several parameters at once: the class's own names and types, each optional.
await byKind.setParameters({ limit: 4, tone: 'warm' });
// @ts-expect-error a text is no number
await byKind.setParameters({ limit: '4' });
// @ts-expect-error no such parameter
await byKind.setParameters({ limits: 4 });
await runtime.setParameters([
  [byKind, { limit: 4 }],
  ['some-id', { anything: 'goes' }],
]);

// Shared parameters have the type of their first value.
const shared = await runtime.shared('rows', { type: 'number', value: 3 });
assertType<Equal<typeof shared.value, number>>();
// @ts-expect-error a text is no number
await shared.set('4');
// @ts-expect-error the type word of another type
await runtime.shared('rows', { type: 'string', value: 3 });

// A module that says nothing takes and gives what nobody knows.
const bare = await runtime.start('bare');
const unknownReply = await bare.call({ anything: 1 });
assertType<Equal<typeof unknownReply, unknown>>();

// A handle by id knows no class; by name a parameter has no type.
const byId = runtime.module('some-id');
assertType<Equal<typeof byId, ModuleHandle<Module>>>();
const fromId = await byId.call({ anything: 1 });
assertType<Equal<typeof fromId, unknown>>();
assertType<Equal<ReturnType<typeof byId.parameter>, ParameterHandle>>();

// Whoever takes any handle takes this one.
const describeAny = (handle: Pick<ModuleHandle, 'id' | 'status' | 'stop'>): string => handle.id;
describeAny(byKind);
