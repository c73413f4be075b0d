/** What a run must keep across a hop to another realm, whatever carries the messages. */
import fc from 'fast-check';
import { describe as group, expect, test } from 'vitest';
import { Module } from './module.ts';
import type { HopReply, HopRequest } from './run-hop-test.ts';
import type { Run } from './run.ts';

/** One end of a channel whose other end answers with `answerHop`. */
export interface HopChannel {
  post(request: HopRequest): void;
  onReply(listener: (reply: HopReply) => void): void;
  close(): void;
}

type Pending = Map<number, (reply: HopReply) => void>;

/** A program on this side whose forward sends its run over the channel. */
class NearSide extends Module<{ id: number; delayMs: number }, { reply: HopReply; near: Run }> {
  readonly send: (request: HopRequest) => Promise<HopReply>;
  constructor(send: (request: HopRequest) => Promise<HopReply>) {
    super();
    this.send = send;
  }
  override async forward(
    input: { id: number; delayMs: number },
    near: Run,
  ): Promise<{ reply: HopReply; near: Run }> {
    await Promise.resolve();
    const reply = await this.send({ ...input, wire: near.toWire() });
    return { reply, near };
  }
}

export function describeHop(name: string, open: () => HopChannel): void {
  group(`runs over ${name}`, () => {
    async function withSender<T>(work: (send: NearSide['send']) => Promise<T>): Promise<T> {
      const channel = open();
      const pending: Pending = new Map();
      channel.onReply((reply) => pending.get(reply.id)?.(reply));
      const send = (request: HopRequest): Promise<HopReply> =>
        new Promise((resolve) => {
          pending.set(request.id, resolve);
          channel.post(request);
        });
      try {
        return await work(send);
      } finally {
        channel.close();
      }
    }

    test('calls that interleave keep their own values, span, model and trace', async () => {
      await withSender(async (send) => {
        const near = new NearSide(send);
        const delays = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 10 });
        await fc.assert(
          fc.asyncProperty(delays, async (delaysMs) => {
            const replies = await Promise.all(
              delaysMs.map((delayMs, id) => near.call({ id, delayMs }, { values: { id } })),
            );
            expect(new Set(replies.map(({ near }) => near.span.traceId)).size).toBe(replies.length);
            for (const [id, { reply, near }] of replies.entries()) {
              expect(reply).toMatchObject({ traceId: near.span.traceId, depth: near.depth + 2 });
              expect(reply.spanId).not.toBe(near.span.spanId);
              expect(reply).toMatchObject({ id, answer: `far ${id}`, tracePaths: ['ask'] });
            }
          }),
          { numRuns: 15 },
        );
      });
    });

    test('the deadline crosses as the time that is left, and holds there', async () => {
      await withSender(async (send) => {
        const near = new NearSide(send);
        const { reply } = await near.call({ id: 1, delayMs: 0 }, { values: { id: 1 }, timeoutMs: 60_000 });
        expect(reply.remainingMs).toBeGreaterThan(1000);
        expect(reply.remainingMs).toBeLessThan(60_001);
        const wire = {
          span: span(),
          path: '',
          depth: 1,
          isTraced: false,
          values: { id: 2 },
          remainingMs: 20,
        };
        expect(await send({ id: 2, delayMs: 5000, wire })).toEqual({ id: 2, error: 'port/timeout' });
        const untraced = await send({ id: 2, delayMs: 0, wire: { ...wire, remainingMs: 5000 } });
        expect(untraced.tracePaths).toEqual([]);
      });
    });

    test('a run that is not one is refused there by member', async () => {
      await withSender(async (send) => {
        const good = { span: span(), path: '', depth: 1, isTraced: true, values: { id: 3 } };
        const bad: unknown[] = [
          { ...good, span: { traceId: 'x', spanId: 'y' } },
          { ...good, depth: -1 },
          { ...good, path: 3 },
          { ...good, isTraced: 'yes' },
          { ...good, values: { id: 3, at: new Date(0) } },
          { ...good, remainingMs: -5 },
        ];
        for (const wire of bad) {
          expect(await send({ id: 3, delayMs: 0, wire })).toEqual({ id: 3, error: 'program/run-invalid' });
        }
        const deep = { ...good, depth: 100 };
        expect(await send({ id: 3, delayMs: 0, wire: deep })).toEqual({ id: 3, error: 'program/too-deep' });
      });
    });
  });
}

function span(): { traceId: string; spanId: string } {
  return { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
}
