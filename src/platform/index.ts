export { sleep, SimulatedClock, systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export { cancellation, withDeadline } from './deadline.ts';
export type { DeadlineOptions } from './deadline.ts';
export { hasLocks, holdLock, lockFreed, tryLock } from './lock.ts';
export { randomHex, seededRandom, systemRandom } from './random.ts';
export type { Random } from './random.ts';
export { hasWorkers, spawnWorker } from './spawn.ts';
export type { CreateWorker } from './spawn.ts';
