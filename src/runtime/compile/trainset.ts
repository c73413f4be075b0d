/** A training set on its way to a worker: plain data, bounded before it is copied, with the marks of examples. */
import { CodedError } from '../../base/index.ts';
import { Example, isExample, isFieldRecord, plainOf } from '../../program/index.ts';
import type { DemoLike, Fields } from '../../program/index.ts';
import { estimateBytes } from '../history/estimate-bytes.ts';
import type { RuntimeLimits } from '../limits.ts';

/** One example as data. Methods and marks of an example do not survive a copy, so they are told. */
export interface WireExample {
  readonly fields: Fields;
  /** The marked inputs. Absent: none were ever marked. */
  readonly inputs?: readonly string[];
  /** It was an example or a prediction, and becomes an example again. */
  readonly isRecord?: boolean;
}

type TrainsetLimits = Pick<RuntimeLimits, 'compileTrainsetEntries' | 'compileTrainsetBytes'>;

/** @throws `optimize/trainset-invalid` for what is no list of examples, `runtime/trainset-too-large` */
export function toWireTrainset(trainset: unknown, limits: TrainsetLimits): readonly WireExample[] {
  if (!Array.isArray(trainset)) throw invalid(`the training set is ${typeof trainset}, expected a list`);
  const { compileTrainsetEntries: entries, compileTrainsetBytes: allowedBytes } = limits;
  if (trainset.length > entries) throw tooLarge('entries', entries, `${trainset.length} examples`);
  let bytes = 0;
  return trainset.map((given: unknown, index) => {
    const example = toWireExample(given, index);
    bytes += estimateBytes(example.fields);
    if (bytes > allowedBytes) throw tooLarge('bytes', allowedBytes, `more, counted up to example ${index}`);
    return example;
  });
}

function toWireExample(given: unknown, index: number): WireExample {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid(`trainset[${index}] is no example and no object with fields`, { index });
  }
  const fields = plainOf(given) as Fields;
  if (!isFieldRecord(given)) return { fields };
  const inputs = isExample(given) ? given.inputKeys : undefined;
  return { fields, isRecord: true, ...(inputs ? { inputs } : {}) };
}

/** The examples again, in the worker. */
export function fromWireTrainset(trainset: readonly WireExample[]): readonly DemoLike[] {
  return trainset.map(({ fields, inputs, isRecord }) => {
    if (!isRecord) return fields as DemoLike;
    const example = new Example(fields);
    return inputs ? example.withInputs(...inputs) : example;
  });
}

function tooLarge(what: 'entries' | 'bytes', allowed: number, found: string): CodedError {
  return new CodedError(
    'runtime/trainset-too-large',
    `the training set has ${found}, expected at most ${allowed} ${what}`,
    { fields: { limit: what, allowed } },
  );
}

function invalid(message: string, fields: { readonly index?: number } = {}): CodedError {
  return new CodedError('optimize/trainset-invalid', message, {
    fields: { ...fields, expected: 'a list of examples' },
  });
}
