/** A program as structured-cloneable data, for introspection across realms: names, types, options, signatures. */
import type { JsonObject } from '../base/index.ts';
import type { LmConfig } from '../lm/index.ts';
import { describeConstraints } from './constraint.ts';
import { allPredictorsOf, modulesOf, parametersOf } from './discover.ts';
import { programLimits } from './limits.ts';
import type { Mode, Module, ModuleClass, ModuleMetadata } from './module.ts';
import type { Parameter } from './parameter.ts';
import type { ParameterType } from './parameter-value.ts';
import type { Predictor } from './predict/predictor.ts';
import type { Field } from './field.ts';
import { printPythonType } from './print-python-type.ts';

export interface ParameterDescription {
  readonly name: string;
  readonly type: ParameterType;
  readonly value: unknown;
  readonly constraints: JsonObject;
  readonly requiresGrad: boolean;
  readonly learningRate: number;
  readonly momentum: number;
  readonly metadata: JsonObject;
  readonly historyEntries: number;
  readonly historyBytes: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface FieldDescription {
  readonly name: string;
  /** A Python annotation, such as `list[str]`. */
  readonly type: string;
  readonly description: string;
}

export interface PredictorDescription {
  readonly name: string;
  /** Such as `question -> answer`. */
  readonly signature: string;
  readonly instructions: string;
  readonly inputs: readonly FieldDescription[];
  readonly outputs: readonly FieldDescription[];
  readonly config: LmConfig;
  /** Of its own language model; null when it takes the one of the call. */
  readonly model: string | null;
  readonly demoCount: number;
}

export interface SubModuleDescription {
  readonly name: string;
  readonly className: string;
  readonly version: string;
  readonly mode: Mode;
  readonly isCompiled: boolean;
  readonly config: JsonObject;
}

export interface ModuleDescription {
  readonly className: string;
  readonly version: string;
  readonly mode: Mode;
  readonly isCompiled: boolean;
  readonly config: JsonObject;
  /** When the class was first used, wall-clock milliseconds since 1970. */
  readonly definedAtMs: number;
  readonly parameters: readonly ParameterDescription[];
  readonly predictors: readonly PredictorDescription[];
  readonly subModules: readonly SubModuleDescription[];
  /** True when there are sub-modules deeper than was asked for. */
  readonly isTruncated: boolean;
}

/** @param maxDepth fields and containers between the root and a sub-module; default 5. Parameters and predictors are all told. */
export function describe(module: Module, maxDepth: number = programLimits.discoveryDepth): ModuleDescription {
  const { className, version, config, definedAtMs }: ModuleMetadata = module.metadata;
  const found = modulesOf(module, { maxDepth }).slice(1);
  return {
    className,
    version,
    mode: module.mode,
    isCompiled: module.isCompiled,
    config,
    definedAtMs,
    parameters: parametersOf(module).map(([name, parameter]) => describeParameter(name, parameter)),
    predictors: allPredictorsOf(module).map(([name, predictor]) => describePredictor(name, predictor)),
    subModules: found.map(([name, each]) => describeSubModule(name, each)),
    isTruncated: found.length < modulesOf(module).length - 1,
  };
}

function describeParameter(name: string, parameter: Parameter): ParameterDescription {
  const { type, value, requiresGrad, learningRate, momentum, metadata } = parameter;
  const { historyEntries, historyBytes, createdAtMs, updatedAtMs } = parameter;
  const constraints = describeConstraints(parameter.constraints);
  const learning = { requiresGrad, learningRate, momentum };
  const times = { createdAtMs, updatedAtMs };
  return { name, type, value, constraints, ...learning, metadata, historyEntries, historyBytes, ...times };
}

function describePredictor(name: string, predictor: Predictor): PredictorDescription {
  const { signature } = predictor;
  return {
    name,
    signature: signature.text,
    instructions: signature.instructions,
    inputs: signature.inputFields.map(describeField),
    outputs: signature.outputFields.map(describeField),
    config: predictor.config,
    model: predictor.lm?.model ?? null,
    demoCount: predictor.demos.length,
  };
}

function describeField({ name, type, description }: Field): FieldDescription {
  return { name, type: printPythonType(type), description };
}

function describeSubModule(name: string, module: Module): SubModuleDescription {
  const kind = module.constructor as ModuleClass;
  const { mode, isCompiled } = module;
  const version = kind.version ?? '0.0.0';
  return { name, className: kind.name, version, mode, isCompiled, config: module.reflectConfig() };
}
