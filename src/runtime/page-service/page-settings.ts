/** What a program in a worker gets of the page: proxies of its model and its executor. */
import type { ActorContext } from '../../actor/index.ts';
import type { Settings } from '../../program/index.ts';
import type { PageContext } from '../module-protocol.ts';
import { createExecutorProxy } from './executor-proxy.ts';
import { createLmProxy } from './lm-proxy.ts';

export function pageSettings(context: ActorContext, { lm, executor }: PageContext): Settings {
  return {
    ...(lm ? { lm: createLmProxy(context, lm) } : {}),
    ...(executor ? { executor: createExecutorProxy(context, executor) } : {}),
  };
}
