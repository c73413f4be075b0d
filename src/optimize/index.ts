export { LabeledFewShot } from './labeled-few-shot.ts';
export type { LabeledFewShotCompileOptions, LabeledFewShotOptions } from './labeled-few-shot.ts';
export type { OptimizeLimits } from './limits.ts';
export type { CompileFrame, CompileOptions, CompileProgress, Optimizer } from './optimizer.ts';
