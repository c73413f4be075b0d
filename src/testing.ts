/**
 * `vivarium/testing`: what tests of programs need, and the laws that a Store, LanguageModel, Device or Executor of your own must
 * pass. The laws run under Vitest with fast-check, both optional peers of this package.
 */
export { describeDevice } from './compute/device.contract.ts';
export { describeExecutor, describeExecutorLimits } from './executor/laws/executor.contract.ts';
export type { OpenExecutor, Spelling } from './executor/laws/executor.contract.ts';
export { describeLanguageModel } from './lm/language-model.contract.ts';
export type { LanguageModelFixture } from './lm/language-model.contract.ts';
export { scriptedLm } from './lm/index.ts';
export { seededRandom, SimulatedClock } from './platform/index.ts';
export { createLoopback } from './port/index.ts';
export { describeStore } from './state/contract/store.contract.ts';
export type { OpenStore, WantedStore } from './state/contract/store.contract.ts';
