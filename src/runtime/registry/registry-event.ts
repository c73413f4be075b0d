/** What the registry tells of its modules. The same events go to its watchers and to the hub. */
import type { EventOf } from '../../telemetry/index.ts';

export type ModuleEventType =
  | 'module-register'
  | 'module-start'
  | 'module-crash'
  | 'module-restart'
  | 'module-swap'
  | 'module-version-change'
  | 'module-stop'
  | 'module-unregister'
  | 'dependency-down'
  | 'dependency-up';

/** One thing that happened to `module`. `atMs`: wall clock, milliseconds since 1970. */
export type ModuleEvent = {
  [T in ModuleEventType]: EventOf<T> & { readonly atMs: number };
}[ModuleEventType];

/** An event before it has its time. */
export type ModuleNews = { [T in ModuleEventType]: EventOf<T> }[ModuleEventType];
