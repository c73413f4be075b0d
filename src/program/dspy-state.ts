/**
 * DSPy 3.3.1's saved programs as JSON text, byte for byte as Python writes them. The only file with snake_case names.
 * Not in these files, as in DSPy: parameters, config, types of fields. A float without a fraction, such as `1.0` inside a demo,
 * is read as `{ $float: '1.0' }`, so that prompts and saved files keep it a float.
 */
import { CodedError, isJson } from '../base/index.ts';
import type { Json, JsonObject } from '../base/index.ts';
import { dspyVersions } from './dspy-versions.ts';
import type { DspyVersions } from './dspy-versions.ts';
import { isPlainObject } from './kind.ts';
import { programLimits } from './limits.ts';
import type { Module } from './module.ts';
import { keyed, required } from './module-state.ts';
import { printOrjson } from './orjson.ts';
import { parsePythonJson } from './python-json.ts';
import { keyText, pythonFloat } from './python-value.ts';
import type { PythonValue } from './python-value.ts';
import type { PredictorState } from './predict/predictor-state.ts';

/** Where a request would go; dropped on load unless asked for, as in DSPy. */
const unsafeLmKeys = ['api_base', 'base_url', 'model_list'] as const;

export interface DspyLoadOptions {
  /** Keeps `api_base`, `base_url` and `model_list` in the description of the language model. Default false. */
  readonly allowUnsafeLmState?: boolean;
}

/**
 * The text of the file that `program.save('x.json')` writes in Python.
 * @throws `program/state-not-json` naming the predictor whose demos or traces hold what JSON cannot
 */
export function toDspyState(module: Module, versions: DspyVersions = dspyVersions): string {
  const { python, dspy, cloudpickle } = versions;
  const metadata = { dependency_versions: { python, dspy, cloudpickle } };
  const states = module.namedPredictors().map(([name, predictor]) => {
    return [name, predictorJson(name, predictor.dumpPredictor())] as const;
  });
  const self = states[0]?.[0] === 'self' ? states[0][1] : undefined;
  return `${printOrjson({ ...(self ?? Object.fromEntries(states)), metadata })}\n`;
}

/**
 * Takes a file that Python or {@link toDspyState} wrote; everything or nothing. A language model is not made from it: give one
 * with the call. Surplus predictors in the file are ignored, as in DSPy.
 * @returns warnings, such as a program saved with another DSPy
 * @throws `program/state-invalid`, `program/state-missing`, each naming the key; nothing has changed then
 */
export function loadDspyState(
  module: Module,
  text: string,
  options: DspyLoadOptions = {},
): readonly string[] {
  const file = parseFile(text);
  const predictors = module.namedPredictors();
  const isSingle = predictors[0]?.[0] === 'self';
  const warnings: string[] = [...versionWarnings(file.metadata)];
  const applies = predictors.map(([name, predictor]) => {
    const saved = isSingle ? file : required(file, name, 'predictors');
    return keyed(name, () => predictor.preparePredictor(withSafeLm(name, saved, options, warnings)));
  });
  for (const apply of applies) apply();
  return warnings;
}

/** The keys in the order in which DSPy writes them. */
function predictorJson(name: string, state: PredictorState): JsonObject {
  const { traces, train, demos, signature, lm } = state;
  const { instructions, fields } = signature;
  const texts = fields.map(({ prefix, description }) => ({ prefix, description }));
  const saved = { traces, train, demos, signature: { instructions, fields: texts }, lm };
  return keyed(name, () => toJson(saved, programLimits.valueDepth)) as JsonObject;
}

/** As orjson: numbers that JSON has no word for become null. */
function toJson(value: unknown, depth: number): Json {
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return null;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value) && depth > 0) return value.map((item) => toJson(item, depth - 1));
  if (isPlainObject(value) && depth > 0) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item, depth - 1)]));
  }
  if (isJson(value)) return value;
  throw new CodedError(
    'program/state-not-json',
    `a demo or trace holds a ${typeof value} that JSON cannot hold`,
    {
      fields: { expected: 'JSON values, nested at most 64 deep' },
    },
  );
}

function parseFile(text: string): Record<string, unknown> {
  if (text.length > programLimits.stateCharacters) {
    throw invalid('file', `at most ${programLimits.stateCharacters} characters`);
  }
  const parsed = parsePythonJson(text);
  const file = parsed === undefined ? undefined : plainJson(parsed);
  if (!isPlainObject(file)) throw invalid('file', 'a JSON object');
  if (!isPlainObject(file.metadata)) throw invalid('metadata', 'an object with dependency_versions');
  return file;
}

/** Integers beyond 2^53 lose digits, as in `JSON.parse`. */
function plainJson(value: PythonValue): Json {
  if (typeof value === 'bigint') return Number(value);
  if (value === null || typeof value !== 'object') return value;
  if (value.kind === 'float')
    return Number.isInteger(value.value) ? { ...pythonFloat(value.value) } : value.value;
  if (value.kind !== 'dict') return value.items.map(plainJson);
  return Object.fromEntries(value.entries.map(([key, item]) => [keyText(key), plainJson(item)]));
}

function versionWarnings(metadata: unknown): string[] {
  const versions = isPlainObject(metadata) ? metadata.dependency_versions : undefined;
  if (!isPlainObject(versions)) throw invalid('metadata.dependency_versions', 'versions by name');
  const saved = versions.dspy;
  if (saved === dspyVersions.dspy) return [];
  return [
    `the program was saved with DSPy ${String(saved)}; the format read here is that of ${dspyVersions.dspy}`,
  ];
}

/** Without the addresses that a model would be asked at, unless they are wanted; a warning says so. */
export function withSafeLm(
  name: string,
  saved: unknown,
  options: DspyLoadOptions,
  warnings: string[],
): unknown {
  if (options.allowUnsafeLmState || !isPlainObject(saved) || !isPlainObject(saved.lm)) return saved;
  const lm = saved.lm;
  const dropped = unsafeLmKeys.filter((key) => key in lm);
  if (dropped.length === 0) return saved;
  warnings.push(`${name}: dropped ${dropped.join(', ')} from the saved language model`);
  const safe = Object.entries(lm).filter(([key]) => !unsafeLmKeys.some((unsafe) => unsafe === key));
  return { ...saved, lm: Object.fromEntries(safe) };
}

function invalid(key: string, expected: string): CodedError {
  return new CodedError('program/state-invalid', `${key}: expected ${expected}`, {
    fields: { key, expected },
  });
}
