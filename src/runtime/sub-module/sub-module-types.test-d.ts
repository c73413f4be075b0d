import { Module, Parameter } from '../../program/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { ParameterPath, SubModulePath } from '../handle/handle-types.ts';
import type { ParameterHandle } from '../parameter/parameter-handle.ts';
import { createRuntime } from '../runtime.ts';
import { serve } from '../worker/serve.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | undefined {
  return undefined;
}

class Judge extends Module<string, boolean> {
  readonly bar: Parameter<number> = new Parameter({ type: 'number', value: 1 });
}
class Critic extends Module<{ text: string }, { grade: number }> {
  readonly tone: Parameter<'dry' | 'warm'> = new Parameter<'dry' | 'warm'>({ type: 'string', value: 'dry' });
  readonly judge: Judge = new Judge();
}
class Pipeline extends Module<string, string> {
  readonly rounds: Parameter<number> = new Parameter({ type: 'number', value: 1 });
  readonly critic: Critic = new Critic();
  readonly hops: readonly Judge[] = [new Judge()];
  readonly byName: ReadonlyMap<string, Judge> = new Map();
  readonly words: readonly string[] = [];
}
class Node extends Module {
  readonly next: Node | undefined;
  readonly self: Node = this;
}

const served = serve({ judge: Judge, critic: Critic, pipeline: Pipeline, node: Node });
const runtime = createRuntime<typeof served.modules>({});

// Paths: fields, fields of fields, items of lists and maps, and nothing else.
assertType<
  Equal<SubModulePath<Pipeline>, 'critic' | 'critic.judge' | `hops[${number}]` | `byName[${string}]`>
>();
assertType<
  Equal<
    ParameterPath<Pipeline>,
    'rounds' | 'critic.tone' | 'critic.judge.bar' | `hops[${number}].bar` | `byName[${string}].bar`
  >
>();
// a class that names itself ends after a few levels
const deep: SubModulePath<Node> = 'self.self.self';
void deep;

const pipeline = await runtime.start('pipeline', {
  actors: {
    critic: { kind: 'critic', restart: 'transient', whenDown: 'local' },
    'critic.judge': { kind: 'judge', whenDown: 'fail', isolation: 'dedicated' },
    'hops[0]': { kind: 'judge', whenDown: 'restart' },
  },
});
// @ts-expect-error no such sub-module
await runtime.start('pipeline', { actors: { cynic: { kind: 'critic', whenDown: 'fail' } } });
// @ts-expect-error no such kind
await runtime.start('pipeline', { actors: { critic: { kind: 'cynic', whenDown: 'fail' } } });
// @ts-expect-error what happens when it is down must be said
await runtime.start('pipeline', { actors: { critic: { kind: 'critic' } } });
// @ts-expect-error no such way to degrade
await runtime.start('pipeline', { actors: { critic: { kind: 'critic', whenDown: 'ignore' } } });

// Handles of sub-modules have the sub-module's class.
const critic = pipeline.subModule('critic');
assertType<Equal<typeof critic, ModuleHandle<Critic>>>();
const judge = pipeline.subModule('critic.judge');
assertType<Equal<typeof judge, ModuleHandle<Judge>>>();
const hop = pipeline.subModule('hops[0]');
assertType<Equal<typeof hop, ModuleHandle<Judge>>>();
const grade = await critic.call({ text: 'x' });
assertType<Equal<typeof grade, { grade: number }>>();
// @ts-expect-error no such sub-module
pipeline.subModule('cynic');

// Parameters of the whole tree, under dotted names, with their types.
assertType<Equal<(typeof pipeline.parameters)['critic.tone'], ParameterHandle<'dry' | 'warm'>>>();
assertType<Equal<(typeof pipeline.parameters)['critic.judge.bar'], ParameterHandle<number>>>();
assertType<Equal<(typeof pipeline.parameters)['hops[0].bar'], ParameterHandle<number>>>();
// @ts-expect-error a number is no tone
await pipeline.parameters['critic.tone'].set(3);

// Where the class is not known, every path is a text.
const unknown = runtime.module('some-id').subModule('critic');
assertType<Equal<typeof unknown, ModuleHandle<Module>>>();
