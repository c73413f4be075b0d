/** Whether what a worker tells is what it must be. A worker runs code of any origin: nothing of it is believed before it was looked at. */
import { acceptsDescribed } from '../../program/index.ts';
import type { ParameterState } from '../../program/index.ts';
import type {
  CatalogChangeBody,
  ModuleSwapBody,
  ParameterChangeBody,
  PartStaleBody,
  UpdateFailBody,
} from '../module-protocol.ts';

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isNumber: Check = (value) => typeof value === 'number' && !Number.isNaN(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const recordOf =
  (check: Check): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every(check);
/** An object with these members; others are nobody's business. */
const like =
  (shape: Shape): Check =>
  (value) =>
    isRecord(value) && Object.entries(shape).every(([name, check]) => check(value[name]));
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

const isParameterType = oneOf('number', 'string', 'boolean', 'list', 'map', 'tensor', 'predictor-state');
const hasStateMembers = like({
  type: isParameterType,
  requiresGrad: isFlag,
  learningRate: isNumber,
  momentum: isNumber,
  metadata: isRecord,
  createdAtMs: isNumber,
  updatedAtMs: isNumber,
  history: optional(Array.isArray),
});

/** With a value that is of its type. */
const isParameterState: Check = (value) => {
  if (!hasStateMembers(value)) return false;
  const { type, value: held } = value as ParameterState;
  return acceptsDescribed({ type, constraints: {} }, held);
};

const names = listOf(isText);
const renames = recordOf(isText);
const author: Shape = { module: isText, incarnation: isCount };
const predictors: Shape = { predictors: recordOf(isRecord), compiled: names };

const parameterChange = like({
  ...author,
  name: isText,
  cause: isText,
  atMs: isNumber,
  state: isParameterState,
  sequence: optional(isCount),
});

const moduleSwap = like({
  ...author,
  sequence: isCount,
  url: optional(isText),
  edition: optional(like({ id: isText, mark: isText })),
  taken: like({ ...predictors, from: isText, same: names }),
  parts: recordOf(
    like({ className: isText, version: isText, parameters: renames, predictors: renames, modules: renames }),
  ),
  description: like({
    className: isText,
    version: isText,
    config: isRecord,
    parameters: listOf(like({ name: isText, type: isParameterType, constraints: isRecord })),
    predictors: listOf(like({ name: isText, signature: isText })),
    subModules: listOf(like({ name: isText, className: isText })),
  }),
  state: like({
    ...predictors,
    format: oneOf(1),
    className: isText,
    version: isText,
    mode: oneOf('train', 'eval'),
    parameters: recordOf(isParameterState),
  }),
});

const partStale = like({ module: isText, part: isText, reason: isText });
const catalogChange = like({ kinds: names });
const updateFail = like({ message: isText, file: optional(isText) });

/** A parameter that a module changed by itself. */
export function isParameterChange(body: unknown): body is ParameterChangeBody {
  return parameterChange(body);
}

/** Another instance of a module that took over. */
export function isModuleSwap(body: unknown): body is ModuleSwapBody {
  return moduleSwap(body);
}

/** A copy that could not follow its owner. */
export function isPartStale(body: unknown): body is PartStaleBody {
  return partStale(body);
}

/** Kinds whose classes were exchanged. */
export function isCatalogChange(body: unknown): body is CatalogChangeBody {
  return catalogChange(body);
}

/** New code that could not be taken. */
export function isUpdateFail(body: unknown): body is UpdateFailBody {
  return updateFail(body);
}
