/** The frame around every call: limit, telemetry, and a stream that can be left at any time. */
import { isCodedError, messageOf } from '../base/index.ts';
import type { CodedError } from '../base/index.ts';
import type { Clock } from '../platform/index.ts';
import type { Hub } from '../telemetry/index.ts';
import { CallLimit } from './call-limit.ts';
import { lmError } from './error.ts';
import type { LmCallOptions } from './language-model.ts';
import type { LmResponse, LmStreamPart } from './message.ts';
import { CallObserver } from './observe.ts';

/** What the calls of one model share. */
export interface CallFrame {
  readonly model: string;
  readonly clock: Clock;
  readonly hub: Hub;
  /** For calls that name no limit of their own. */
  readonly timeoutMs: number;
}

export interface RunningCall {
  readonly limit: CallLimit;
  readonly observer: CallObserver;
}

/** Runs one call to its end. Whatever `work` throws leaves as an `lm/…` error. */
export async function runGenerate(
  frame: CallFrame,
  options: LmCallOptions,
  work: (call: RunningCall) => Promise<LmResponse>,
): Promise<LmResponse> {
  const call = openCall(frame, options);
  try {
    call.limit.check();
    const response = await call.limit.race(work(call));
    call.observer.end(response);
    return response;
  } catch (thrown) {
    const error = toLmError(call.limit, thrown);
    call.observer.fail(error);
    throw error;
  } finally {
    call.limit.end();
  }
}

/** Runs one call as a stream. Nothing happens before the first read. */
export function runStream(
  frame: CallFrame,
  options: LmCallOptions,
  work: (call: RunningCall) => AsyncIterable<LmStreamPart>,
): AsyncIterable<LmStreamPart> {
  return {
    [Symbol.asyncIterator]: () => {
      let limit: CallLimit | undefined;
      const parts = readParts(frame, options, (call) => {
        limit = call.limit;
        return work(call);
      });
      return {
        next: () => parts.next(),
        return: () => {
          // ends a read that is still under way; the generator alone would wait for it
          limit?.cancel('the reader left the stream');
          return parts.return();
        },
      };
    },
  };
}

async function* readParts(
  frame: CallFrame,
  options: LmCallOptions,
  work: (call: RunningCall) => AsyncIterable<LmStreamPart>,
): AsyncGenerator<LmStreamPart, void, undefined> {
  const call = openCall(frame, options);
  try {
    call.limit.check();
    for await (const part of work(call)) {
      call.limit.check();
      if (part.type === 'response-end') call.observer.end(part.response);
      yield part;
      call.limit.check();
    }
  } catch (thrown) {
    const error = toLmError(call.limit, thrown);
    call.observer.fail(error);
    throw error;
  } finally {
    call.limit.cancel('the stream ended');
    call.observer.fail(call.limit.signal.reason as CodedError);
    call.limit.end();
  }
}

function openCall(frame: CallFrame, options: LmCallOptions): RunningCall {
  const limit = new CallLimit(frame.clock, frame.model, frame.timeoutMs, options);
  const observer = new CallObserver(frame.hub, frame.clock, frame.model, options.span);
  return { limit, observer };
}

/** The call's own end wins over what it made fail on its way. */
function toLmError(limit: CallLimit, thrown: unknown): CodedError {
  if (limit.signal.aborted) return limit.signal.reason as CodedError;
  if (isCodedError(thrown)) return thrown;
  return lmError('lm/response-invalid', `the call failed in an unexpected way: ${messageOf(thrown)}`, {
    model: limit.model,
    reason: 'unexpected',
    cause: thrown,
  });
}
