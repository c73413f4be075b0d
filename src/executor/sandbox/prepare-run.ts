/** Checks what the caller hands over and writes it down for the interpreter, before anything is started. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import type { Code, ExecutionContext, ExecutionOptions, SubmitField } from '../executor.ts';
import type { GuestValue } from '../guest-value.ts';
import { PackageBudget } from '../language/package-budget.ts';
import type { CodeForm, Language, NameUse } from '../language/language.ts';
import type { ExecutorLimits } from '../limits.ts';
import { decide } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { Tool } from '../tool.ts';
import type { PackageRequest } from '../package.ts';
import type { Denial } from './denial.ts';
import { checkEnvironment, checkTools, findDenial, normalName } from './prepare-tools.ts';
import type { RunRequest, RunStart } from './protocol.ts';
import { ValueEncoder } from './value-codec.ts';

/** What stays on the page's side of a run. */
export interface RunGrant {
  readonly tools: ReadonlyMap<string, Tool>;
  readonly policy: Policy;
  /** To be had before the run begins. */
  readonly packages: readonly PackageRequest[];
  /** For these, and for those that the guest asks for later. */
  readonly packageBudget: PackageBudget;
  /** The policy does not let this be handed over: the run must not begin; see early-outcome.ts. */
  readonly denial: Denial | undefined;
}

/** Ready to be posted, but for the grant; the bytes are ours to give away. */
export interface PreparedRun extends Omit<RunStart, 'type' | 'run' | 'saving'> {
  readonly grant: RunGrant;
}

export interface RunRules {
  readonly limits: ExecutorLimits;
  readonly policy: Policy;
  readonly language: Language;
  /** The run is one of a session. Default: false. */
  readonly isSession?: boolean;
}

function wrong(
  code: 'variable' | 'file' | 'import' | 'option',
  field: string,
  expected: string,
  found: string,
): CodedError {
  return new CodedError(`executor/${code}-invalid`, `${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

const codeForms = { text: 'a string', bytes: 'bytes', either: 'a string or bytes' } as const;

function checkCode(code: Code, maxBytes: number, form: CodeForm): void {
  const found = typeof code === 'string' ? 'text' : code instanceof Uint8Array ? 'bytes' : 'neither';
  if (found === 'neither' || (form !== 'either' && form !== found)) {
    throw wrong('option', 'code', codeForms[form], found === 'text' ? 'a string' : found);
  }
  // no text has fewer bytes than characters: counting the bytes of a huge one can be spared
  const isCounted = typeof code !== 'string' || code.length > maxBytes;
  const sizeBytes = isCounted ? code.length : new TextEncoder().encode(code).length;
  if (sizeBytes <= maxBytes) return;
  throw new CodedError(
    'executor/code-too-large',
    `the code has ${sizeBytes} bytes, at most ${maxBytes} are allowed`,
    {
      fields: { sizeBytes, allowed: maxBytes },
    },
  );
}

function checkName(field: NameUse, name: string, { language }: RunRules): string {
  if (typeof name !== 'string') throw wrong('variable', field, 'a name', typeof name);
  const normal = normalName(name, language);
  const reason = language.refuseName(normal, field);
  if (reason !== undefined) throw wrong('variable', `${field} "${normal.slice(0, 100)}"`, 'a name', reason);
  return normal;
}

/** Two ways to write one name would be one variable, with the value that came last. */
function checkDistinct(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name))
      throw wrong(
        'variable',
        `variable "${name.slice(0, 100)}"`,
        'a name of its own',
        'two that are read as one',
      );
    seen.add(name);
  }
}

/** More fields has no answer. */
const maxSubmitFields = 100;

function checkSubmitFields(
  fields: readonly SubmitField[],
  { language }: RunRules,
): NonNullable<RunRequest['submitFields']> {
  const wrongField = (found: string): CodedError =>
    wrong('option', 'submitFields', `at most ${maxSubmitFields} fields, each with a name of its own`, found);
  if (!Array.isArray(fields) || fields.length > maxSubmitFields) throw wrongField('another');
  const names = new Set<string>();
  return fields.map(({ name, type }: SubmitField) => {
    const normal = typeof name === 'string' ? normalName(name, language) : '';
    const reason = language.refuseName(normal, 'variable');
    const isSound = type === undefined || (typeof type === 'string' && type.length <= 1000);
    if (reason !== undefined || names.has(normal) || !isSound) throw wrongField(reason ?? 'another');
    names.add(normal);
    return [normal, type ?? null];
  });
}

/** What a value of the caller's throws while it is read says that it cannot cross. */
function encodeVariable(name: string, value: GuestValue, encoder: ValueEncoder): unknown {
  try {
    return encoder.encode(value, name);
  } catch (error) {
    if (isCodedError(error, 'executor/variable-invalid')) throw error;
    throw wrong('variable', name, 'a value that can be read', `one that throws: ${messageOf(error)}`);
  }
}

function checkOutputs(outputs: readonly string[] | undefined, rules: RunRules): readonly string[] {
  if (outputs === undefined) return [];
  if (!Array.isArray(outputs)) throw wrong('option', 'outputs', 'a list of names', typeof outputs);
  return outputs.map((name: string) => checkName('output', name, rules));
}

/** What is wrong with them is told when they are asked for; of what is too large no copy is needed for that. */
function copyPackages(
  packages: ExecutionContext['packages'] = [],
  { packageDownloadBytes }: ExecutorLimits,
): readonly PackageRequest[] {
  const requests: readonly unknown[] = Array.isArray(packages) ? packages : [packages];
  return requests.map((request) => {
    const { wheel } = Object(request) as { readonly wheel?: unknown };
    const isCopied = wheel instanceof Uint8Array && wheel.length <= packageDownloadBytes;
    // checked later: package-service.ts
    return (isCopied ? { ...(request as object), wheel: wheel.slice() } : request) as PackageRequest;
  });
}

function checkPath(path: string): string {
  if (isPathBelow(path)) return path;
  throw wrong('file', `files["${path.slice(0, 100)}"]`, pathExpected, 'another');
}

const pathExpected = 'a path below /sandbox, relative to it, without "." or ".." parts';

function isPathBelow(path: string): boolean {
  const isInside = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return isInside && !path.includes('\0') && !/\p{Surrogate}/u.test(path) && path.length <= 1024;
}

/** No file may be a folder of another, nor of the directory that the code is run in. */
function checkFolders({ files = {}, workingDirectory }: ExecutionContext): void {
  const isBelowFile = (path: string): boolean =>
    path.split('/').some((_part, index, parts) => Object.hasOwn(files, parts.slice(0, index + 1).join('/')));
  for (const path of Object.keys(files)) {
    if (isBelowFile(path.slice(0, Math.max(0, path.lastIndexOf('/')))))
      throw wrong('file', `files["${path.slice(0, 100)}"]`, 'a path below folders', 'one below another file');
  }
  if (workingDirectory !== undefined && isBelowFile(workingDirectory))
    throw wrong('option', 'workingDirectory', 'a folder', 'a file, or one below a file');
}

function checkTimeout(timeoutMs: number | undefined, wallTimeMs: number): number {
  if (timeoutMs === undefined) return wallTimeMs;
  if (typeof timeoutMs === 'number' && timeoutMs > 0) return Math.min(timeoutMs, wallTimeMs);
  throw wrong('option', 'timeoutMs', 'a number above 0', String(timeoutMs));
}

function checkTransfer(transfer: readonly unknown[] = []): ReadonlySet<ArrayBuffer> {
  const isSound = Array.isArray(transfer) && transfer.every(isUsable);
  if (isSound) return new Set(transfer as readonly ArrayBuffer[]);
  throw wrong('option', 'transfer', 'a list of ArrayBuffers that are not detached', 'another');
}

function isUsable(item: unknown): boolean {
  if (!(item instanceof ArrayBuffer)) return false;
  try {
    return new Uint8Array(item).length >= 0;
  } catch {
    return false;
  }
}

function encodeFiles(
  files: NonNullable<ExecutionContext['files']>,
  encoder: ValueEncoder,
  maxBytes: number,
): RunRequest['files'] {
  let sizeBytes = 0;
  return Object.entries(files).map(([path, content]) => {
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) {
      throw wrong('file', `files["${path.slice(0, 100)}"]`, 'a string or bytes', typeof content);
    }
    sizeBytes += content.length;
    if (sizeBytes > maxBytes) throw wrong('file', 'files', `at most ${maxBytes} bytes together`, 'more');
    return [checkPath(path), encoder.encode(content, `files["${path}"]`)];
  });
}

/** Refuses what the language cannot take. */
function checkUse(context: ExecutionContext, options: ExecutionOptions, language: Language): void {
  const {
    hasVariables,
    hasFiles,
    hasImports,
    hasTools,
    hasEnvironment,
    hasWorkingDirectory,
    hasSubmitFields,
    hasPackages,
  } = language.capabilities;
  const used: readonly (readonly [field: string, value: object | undefined, isTaken: boolean | undefined])[] =
    [
      ['variables', context.variables, hasVariables],
      ['outputs', options.outputs, hasVariables],
      ['files', context.files, hasFiles],
      ['imports', context.imports, hasImports],
      ['tools', context.tools, hasTools],
      ['environment', context.environment, hasEnvironment],
      ['packages', context.packages, hasPackages],
      ['submitFields', context.submitFields, hasSubmitFields],
      [
        'workingDirectory',
        context.workingDirectory === undefined ? undefined : [context.workingDirectory],
        hasWorkingDirectory,
      ],
    ];
  for (const [field, value, isTaken] of used) {
    if (isTaken || value === undefined || Object.keys(value).length === 0) continue;
    throw wrong('option', field, `none: ${language.name} takes no ${field}`, 'some');
  }
}

function checkImports(
  imports: NonNullable<ExecutionContext['imports']>,
  { limits: { inputBytes: maxBytes }, language }: RunRules,
): RunRequest['imports'] {
  let sizeBytes = 0;
  return Object.entries(imports).map(([name, source]) => {
    const field = `imports["${name.slice(0, 100)}"]`;
    if (typeof source !== 'string') throw wrong('import', field, 'a string', typeof source);
    if (name === '' || name.length > 1024 || /[\0\p{Surrogate}]/u.test(name)) {
      throw wrong('import', field, 'a name of 1 to 1024 characters', 'another');
    }
    const reason = language.refuseImport?.(name);
    if (reason !== undefined) throw wrong('import', field, 'the name of a module', reason);
    sizeBytes += source.length;
    if (sizeBytes > maxBytes) throw wrong('import', 'imports', `at most ${maxBytes} bytes together`, 'more');
    return [name, source];
  });
}

function boundsOf({ outputBytes, resultBytes, toolArgumentBytes, displays, displayBytes }: ExecutorLimits) {
  return { outputBytes, resultBytes, toolArgumentBytes, displays, displayBytes };
}

/** What the code finds around it, besides values. */
function prepareSurroundings(
  { environment = {}, workingDirectory }: ExecutionContext,
  given: ReadonlyMap<string, Tool>,
  { limits, policy }: RunRules,
): Pick<RunRequest, 'tools' | 'toolParameters' | 'deniedTools' | 'environment' | 'workingDirectory'> {
  const tools = [...given.keys()];
  return {
    tools,
    toolParameters: [...given.values()].map(({ parameters }) => parameters ?? null),
    deniedTools: tools.filter((name) => !decide(policy, { permission: 'tool', name }).isAllowed),
    environment: checkEnvironment(environment, limits.inputBytes),
    workingDirectory: workingDirectory === undefined ? null : checkDirectory(workingDirectory),
  };
}

function checkDirectory(path: unknown): string {
  if (typeof path === 'string' && isPathBelow(path)) return path;
  throw wrong('option', 'workingDirectory', pathExpected, typeof path === 'string' ? 'another' : typeof path);
}

/**
 * Throws `executor/code-too-large`, `executor/variable-invalid`, `executor/file-invalid`,
 * `executor/import-invalid`, `executor/tool-invalid` or `executor/option-invalid`. The values are copied now: the caller may change its own afterwards.
 */
export function prepareRun(
  code: Code,
  context: ExecutionContext,
  options: ExecutionOptions,
  rules: RunRules,
): PreparedRun {
  const { limits, policy, language } = rules;
  checkCode(code, limits.codeBytes, language.codeForm ?? 'text');
  checkUse(context, options, language);
  const tools = checkTools(context, language);
  const packages = copyPackages(context.packages, limits);
  const { inputBytes: maxSizeBytes, valueDepth: maxDepth } = limits;
  const { identifyKey } = language;
  const given = checkTransfer(options.transfer);
  const encoder = new ValueEncoder({ maxSizeBytes, maxDepth, given, ...(identifyKey && { identifyKey }) });
  const variables = Object.entries(context.variables ?? {}).map(
    ([name, value]) => [checkName('variable', name, rules), encodeVariable(name, value, encoder)] as const,
  );
  checkDistinct(variables.map(([name]) => name));
  const request: RunRequest = {
    code: typeof code === 'string' ? code : '',
    ...(typeof code === 'string' ? {} : { bytes: encoder.encode(code, 'code') }),
    variables: Object.fromEntries(variables),
    files: encodeFiles(context.files ?? {}, encoder, limits.fileBytes),
    imports: checkImports(context.imports ?? {}, rules),
    outputs: checkOutputs(options.outputs, rules),
    isSession: rules.isSession ?? false,
    deniedModules: policy.deniedModules,
    deniedGlobals: policy.deniedGlobals,
    ...boundsOf(limits),
    valueDepth: limits.valueDepth,
    submitFields: context.submitFields ? checkSubmitFields(context.submitFields, rules) : null,
    packages: packages.length > 0 ? encoder.buffers.length : null,
    ...prepareSurroundings(context, tools, rules),
  };
  const timeoutMs = checkTimeout(options.timeoutMs, limits.wallTimeMs);
  checkFolders(context);
  encoder.takeGiven();
  return {
    request: new TextEncoder().encode(JSON.stringify(request)),
    buffers: encoder.buffers,
    timeoutMs,
    ...boundsOf(limits),
    toolCalls: limits.toolCalls,
    hasTools: tools.size > 0,
    grant: {
      tools,
      policy,
      packages,
      packageBudget: new PackageBudget(),
      denial: findDenial(context, policy),
    },
  };
}
