import { expect, test, vi } from 'vitest';
import { ActorSystem, CodedError, createHub, inThreadRealm, Supervisor, systemClock } from './actor.ts';
import type { ActorRef, StartBehaviour } from './actor.ts';

const counter: StartBehaviour = (_args, context) => {
  let count = 0;
  return {
    call: (_method, step) => (count += Number(step)),
    receive: () => context.exit(new CodedError('actor/crashed', 'as asked')),
  };
};

test('the entry has all that a supervised actor needs: it is called, crashes, and starts again', async () => {
  const hub = createHub();
  const system = new ActorSystem({ createRealm: () => inThreadRealm({ counter }), isWatched: false, hub });
  const starts: ActorRef[] = [];
  const supervisor = new Supervisor({
    id: 'top',
    system,
    clock: systemClock,
    hub,
    children: [
      {
        id: 'counter',
        spawn: () => ({ kind: 'counter' }),
        onStart: (ref) => void starts.push(ref),
      },
    ],
  });
  await supervisor.start();
  expect(await starts[0]?.call('add', 3)).toBe(3);
  starts[0]?.send('crash', null);
  await vi.waitFor(() => expect(starts).toHaveLength(2));
  expect(await starts[1]?.call('add', 1)).toBe(1);
  expect(supervisor.restarts.map(({ child, reason }) => `${child} ${reason}`)).toEqual(['counter crashed']);
  await supervisor.close();
  system.close();
});
