/**
 * What an edited module can import as `vivarium`. It is built under a fixed name, and the worker itself imports from it,
 * so that both have the same classes.
 */
export { CodedError, isCodedError } from '../../base/index.ts';
export type { Json } from '../../base/index.ts';
export type { GuestValue, Outcome } from '../../executor/index.ts';
export { ChainOfThought, Module, Parameter, parseSignature, Predict } from '../../program/index.ts';
export type { Run } from '../../program/index.ts';
