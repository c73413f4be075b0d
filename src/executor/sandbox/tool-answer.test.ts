import { expect, test } from 'vitest';
import { collect, createMailbox, deliver, rouse } from '../guest/mailbox.ts';
import { packAnswer, unpackAnswer } from './tool-answer.ts';

test('what is packed is unpacked', () => {
  const buffers = [new Uint8Array([1, 2]).buffer, new ArrayBuffer(0), new Uint8Array([3]).buffer];
  const { text, buffers: back } = unpackAnswer(packAnswer('{"é":1}', buffers));
  expect(new TextDecoder().decode(text)).toBe('{"é":1}');
  expect(back.map((part) => [...part])).toEqual([[1, 2], [], [3]]);
});

test('a mailbox gives an answer to its call alone, and a stop to whoever waits', () => {
  const mailbox = createMailbox(8);
  deliver(mailbox, 1, new Uint8Array([1, 2, 3]));
  expect([...(collect(mailbox, 1, () => true) ?? [])]).toEqual([1, 2, 3]);
  rouse(mailbox);
  expect(collect(mailbox, 2, () => true)).toBeUndefined();
});

test('what does not fit is not delivered', () => {
  const mailbox = createMailbox(2);
  deliver(mailbox, 1, new Uint8Array(3));
  expect(collect(mailbox, 1, () => true)).toBeUndefined();
});
