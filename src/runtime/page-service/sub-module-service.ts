/** The way from a module to its sub-modules that are actors of their own: only the page knows where each runs. */
import { CodedError, isCodedError } from '../../base/index.ts';
import { sleep } from '../../platform/index.ts';
import { parseRunWire } from '../../program/index.ts';
import type { IncomingCall } from '../../port/index.ts';
import { createSpan } from '../../telemetry/index.ts';
import { callForward } from '../handle/forward-call.ts';
import type { ForwardHost, ForwardRequest } from '../handle/forward-call.ts';
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { HostedPart } from '../sub-module/hosted-part.ts';
import { subModuleNotFound } from '../module-error.ts';
import { subModuleService } from '../module-protocol.ts';
import type { PartCallBody } from '../module-protocol.ts';
import { checkBody, memberChecks, requireOwner, unknownMethod } from './page-service.ts';
import type { PageService } from './page-service.ts';

const { text, count } = memberChecks;
const checks = { owner: text, incarnation: count, path: text };

/** @param find a module by id; undefined when none runs */
export function createSubModuleService(
  host: ForwardHost,
  find: (id: string) => HostedModuleRecord | undefined,
): PageService {
  return async (call, source) => {
    if (call.method !== 'forward') throw unknownMethod(subModuleService, call.method);
    checkBody(subModuleService, call.body, checks);
    const body = call.body as PartCallBody;
    requireOwner(subModuleService, body, source);
    const part = find(body.owner)?.parts.get(body.path);
    if (!part) throw subModuleNotFound(body.owner.slice(0, 200), body.path);
    return reach(part, host, requestOf(call, body));
  };
}

function requestOf(call: IncomingCall, { input, run: wire, wantsDeltas }: PartCallBody): ForwardRequest {
  const run = parseRunWire(wire);
  return {
    input,
    run: { ...run, span: createSpan(run.span) },
    method: 'forward-part',
    options: {
      signal: call.signal,
      timeoutMs: run.remainingMs ?? Infinity,
    },
    ...(wantsDeltas ? { onDelta: (delta) => void call.delta(delta) } : {}),
  };
}

/**
 * Who asks hears `runtime/sub-module-down` when the actor is down or ends under the call, and does what was declared. Where a restart
 * was declared, a call waits while the actor restarts by itself.
 */
async function reach(part: HostedPart, host: ForwardHost, request: ForwardRequest): Promise<unknown> {
  const { module, whenDown } = part;
  const isReachable = module.status === 'running' || (whenDown === 'restart' && !module.isOver);
  if (!isReachable) throw subModuleDown(part);
  const { restarts } = module;
  try {
    return await callForward(module, host, request);
  } catch (error) {
    if (error === module.endedWith) throw subModuleDown(part, error);
    if (!isCodedError(error, 'actor/peer-died')) throw error;
    // the news of the exit may come after the failed call
    await sleep(host.clock, 0);
    if (!module.isOver && module.restarts === restarts) throw error;
    throw subModuleDown(part, error);
  }
}

/** The same call may succeed later unless the actor has ended for good. */
export function subModuleDown({ path, module }: HostedPart, cause?: unknown): CodedError {
  const { id, status, isOver } = module;
  const why = isOver ? `has ended (${status})` : 'was lost and is being restarted';
  return new CodedError('runtime/sub-module-down', `the sub-module "${path}", actor "${id}", ${why}`, {
    fields: { path, subModule: id, status },
    isRetryable: !isOver,
    cause: cause ?? module.endedWith,
  });
}
