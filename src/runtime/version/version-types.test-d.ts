import { Module, Parameter } from '../../program/index.ts';
import type { ModuleState } from '../../program/index.ts';
import type { ModuleHandle } from '../handle/handle.ts';
import type { ParameterHandle } from '../parameter/parameter-handle.ts';
import { createRuntime } from '../runtime.ts';
import { serve } from '../worker/serve.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function assertType<T extends true>(): T | undefined {
  return undefined;
}

class Critic_1_0 extends Module<{ text: string }, { score: number }> {
  static readonly version = '1.0.0';
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 3 });
  readonly tone: Parameter<string> = new Parameter({ type: 'string', value: 'dry' });
  override async forward({ text }: { text: string }): Promise<{ score: number }> {
    return { score: text.length };
  }
}

class Critic_1_1 extends Module<{ text: string; depth?: number }, { score: number; why: string }> {
  static readonly version = '1.1.0';
  static migrate(state: ModuleState, _fromVersion: string): ModuleState {
    return state;
  }
  readonly limit: Parameter<number> = new Parameter({ type: 'number', value: 3 });
  override async forward({
    text,
  }: {
    text: string;
    depth?: number;
  }): Promise<{ score: number; why: string }> {
    return { score: text.length, why: '' };
  }
}

class QA extends Module<string, number> {}

const served = serve({ qa: QA, critic: [Critic_1_0, Critic_1_1] });
assertType<Equal<typeof served.modules.critic, readonly [typeof Critic_1_0, typeof Critic_1_1]>>();
const runtime = createRuntime<typeof served.modules>({});

// A kind with a list gives a handle that knows what all of its versions have, whichever runs.
const critic = await runtime.start('critic', { version: '1.0.0', hotReload: true });
assertType<Equal<typeof critic, ModuleHandle<Critic_1_0 | Critic_1_1>>>();
assertType<Equal<keyof typeof critic.parameters, 'limit'>>();
assertType<Equal<typeof critic.parameters.limit, ParameterHandle<number>>>();
const reply = await critic.call({ text: 'a', depth: 1 });
assertType<Equal<typeof reply.score, number>>();
// @ts-expect-error only one of the versions says why
void reply.why;
// @ts-expect-error every version wants a text
await critic.call({ depth: 1 });

// By class the handle is of that version alone; a kind with one class stays as it was.
const first = await runtime.start(Critic_1_0);
assertType<Equal<typeof first, ModuleHandle<Critic_1_0>>>();
assertType<Equal<keyof typeof first.parameters, 'limit' | 'tone'>>();
const qa = await runtime.start('qa');
assertType<Equal<typeof qa, ModuleHandle<QA>>>();
await qa.call('a text');

// A swap says what it wants.
await critic.swap({ version: '1.1.0' });
await critic.swap({ url: './critic.js' });
await critic.swap({ url: new URL('https://modules.example/critic.js'), version: '1.2.0' });
// @ts-expect-error neither a version nor a file
await critic.swap({});
const { from, to } = await critic.rollback();
assertType<Equal<typeof from, typeof to>>();
const versions = await runtime.versions('critic');
assertType<Equal<typeof versions, readonly string[]>>();

// Classes at hand, as where there are no workers.
const local = createRuntime({ modules: { critic: [Critic_1_0, Critic_1_1] } });
const localCritic = await local.start('critic');
assertType<Equal<typeof localCritic, ModuleHandle<Critic_1_0 | Critic_1_1>>>();

class NoModule {}
class Numbered extends Module {
  static readonly version = 1;
}
// @ts-expect-error no class of modules
serve({ critic: [NoModule] });
// @ts-expect-error a version is a text
serve({ critic: Numbered });
