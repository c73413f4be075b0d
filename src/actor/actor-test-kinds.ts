/** Actors that misbehave on request, for the tests of this layer. */
import { CodedError } from '../base/index.ts';
import type { CallContext, StartBehaviour } from './behaviour.ts';

function spin(): never {
  for (;;);
}

const never = ({ signal }: CallContext): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

async function report(call: CallContext): Promise<string> {
  await Promise.resolve();
  call.delta(1);
  call.delta(2);
  return 'done';
}

const counter: StartBehaviour = (args, context) => {
  let count = typeof args === 'number' ? args : 0;
  const methods: Record<string, (body: unknown, call: CallContext) => unknown> = {
    add: (body) => (count += body as number),
    read: () => count,
    echo: (body) => body,
    throw: () => {
      throw new CodedError('runtime/asked-to-throw', 'as asked', { fields: { why: 'test' } });
    },
    function: () => () => undefined,
    never: (_, call) => never(call),
    progress: (_, call) => report(call),
    crash: () => context.exit(new CodedError('runtime/asked-to-crash', 'as asked')),
    leave: () => context.exit(),
    'close-worker': () => (self as unknown as { close(): void }).close(),
    spin,
    'throw-later': () =>
      queueMicrotask(() => {
        throw new Error('nobody is there');
      }),
  };
  return {
    call(method, body, call) {
      const run = methods[method];
      if (!run) throw new CodedError('actor/method-not-found', `no method ${method}`);
      return run(body, call);
    },
    isReserved: (method) => method === 'add',
    receive(method) {
      if (method === 'crash') throw new Error('receive failed');
      count++;
    },
  };
};

export const testKinds: Readonly<Record<string, StartBehaviour>> = {
  counter,
  'fails-to-start': () => {
    throw new CodedError('runtime/asked-to-throw', 'start failed as asked');
  },
};
