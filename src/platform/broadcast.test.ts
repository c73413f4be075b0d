import { describe, expect, test } from 'vitest';
import { createSimulatedBroadcast, openBroadcast } from './broadcast.ts';
import type { OpenBroadcast } from './broadcast.ts';

const implementations: readonly [string, OpenBroadcast][] = [
  ['the platform', openBroadcast],
  ['the simulated twin', createSimulatedBroadcast()],
];

describe.each(implementations)('broadcast by %s', (_, open) => {
  test('others of the same name hear a copy; the sender, other names and those who left do not', async () => {
    const heard: [string, unknown][] = [];
    const join = (who: string, name: string) => open(name, (message) => heard.push([who, message]));
    const [sender, other, stranger, gone] = [
      join('sender', 'n'),
      join('other', 'n'),
      join('stranger', 'm'),
      join('gone', 'n'),
    ];
    gone[Symbol.dispose]();
    const message = { list: [1] };
    sender.post(message);
    message.list.push(2);
    await expect.poll(() => heard.length).toBe(1);
    expect(heard).toEqual([['other', { list: [1] }]]);
    expect(() => sender.post(() => 1)).toThrow('could not be cloned');
    for (const member of [sender, other, stranger]) member[Symbol.dispose]();
  });
});
