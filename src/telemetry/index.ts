export type { EventError, EventOf, EventType, SpanContext, StampedEvent, TelemetryEvent } from './event.ts';
export { createHub, silentHub } from './hub.ts';
export type { Degradation, Hub, Listener } from './hub.ts';
export { attachConsoleSink } from './sink/console.ts';
export { createMemorySink } from './sink/memory.ts';
export type { MemorySink } from './sink/memory.ts';
export { createSpan } from './span.ts';
