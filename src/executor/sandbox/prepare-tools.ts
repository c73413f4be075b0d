/** Checks what a run is handed besides values: tools, an environment, a place to start in; and whether the policy lets it be handed over. */
import { CodedError } from '../../base/index.ts';
import type { ExecutionContext } from '../executor.ts';
import type { Language } from '../language/language.ts';
import { decide } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { Tool } from '../tool.ts';
import type { Denial } from './denial.ts';
import { maxToolNameLength } from './protocol.ts';

/** More of each than a run has a use for. */
const maxTools = 1000;
const maxParameters = 100;
const maxVariables = 1000;

function invalid(field: string, expected: string, found: string): CodedError {
  return new CodedError('executor/tool-invalid', `${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

/** A null-prototype-safe map of the tools; throws `executor/tool-invalid`. */
export function checkTools(context: ExecutionContext, language: Language): ReadonlyMap<string, Tool> {
  const entries = Object.entries(context.tools ?? {});
  if (entries.length > maxTools) throw invalid('tools', `at most ${maxTools} tools`, String(entries.length));
  const variables = new Set(Object.keys(context.variables ?? {}).map((name) => normalName(name, language)));
  const tools = new Map<string, Tool>();
  for (const [name, tool] of entries) {
    const normal = checkName(name, variables, language);
    if (tools.has(normal))
      throw invalid(fieldOf(name), 'a name of its own', 'another tool whose name is read as the same');
    tools.set(normal, checkTool(name, tool));
  }
  return tools;
}

/** A name as the language reads it. */
export function normalName(name: string, { normalName: normalize }: Language): string {
  return normalize ? normalize(name) : name;
}

const fieldOf = (name: string): string => `tools["${name.slice(0, 100)}"]`;

function checkName(name: string, variables: ReadonlySet<string>, language: Language): string {
  const normal = normalName(name, language);
  const field = fieldOf(name);
  const reason = language.refuseName(normal, 'variable');
  if (reason !== undefined) throw invalid(field, 'a name', reason);
  if (normal.length > maxToolNameLength)
    throw invalid(field, `a name of at most ${maxToolNameLength} characters`, String(normal.length));
  if (variables.has(normal)) throw invalid(field, 'a name of its own', 'a variable of the same name');
  return normal;
}

function checkTool(name: string, tool: Tool): Tool {
  const field = fieldOf(name);
  if (typeof tool !== 'object' || tool === null || typeof tool.call !== 'function') {
    throw invalid(field, 'an object with a function "call"', typeof tool);
  }
  const { parameters } = tool;
  if (parameters === undefined) return { call: tool.call.bind(tool) };
  const isSound =
    Array.isArray(parameters) &&
    parameters.length <= maxParameters &&
    parameters.every(
      (parameter) =>
        typeof parameter === 'string' && /^[\p{XID_Start}_$][\p{XID_Continue}$]{0,254}$/u.test(parameter),
    ) &&
    new Set(parameters).size === parameters.length;
  if (!isSound) throw invalid(`${field}.parameters`, `at most ${maxParameters} names, each once`, 'another');
  return { call: tool.call.bind(tool), parameters: [...parameters] };
}

/** A copy without a prototype; throws `executor/option-invalid`. */
export function checkEnvironment(
  environment: Readonly<Record<string, string>>,
  maxBytes: number,
): Readonly<Record<string, string>> {
  const wrong = (field: string, expected: string, found: string): CodedError =>
    new CodedError('executor/option-invalid', `${field}: expected ${expected}, found ${found}`, {
      fields: { field, expected, found },
    });
  const entries = Object.entries(environment);
  let sizeBytes = 0;
  if (entries.length > maxVariables) throw wrong('environment', `at most ${maxVariables} variables`, 'more');
  for (const [name, value] of entries) {
    const field = `environment["${name.slice(0, 100)}"]`;
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,254}$/u.test(name))
      throw wrong(field, 'a name of letters, digits and _', 'another');
    if (typeof value !== 'string' || /[\0\p{Surrogate}]/u.test(value)) {
      throw wrong(field, 'a string without NUL', typeof value === 'string' ? 'another' : typeof value);
    }
    sizeBytes += name.length + value.length;
    if (sizeBytes > maxBytes) throw wrong('environment', `at most ${maxBytes} bytes together`, 'more');
  }
  return Object.assign(Object.create(null) as Record<string, string>, environment);
}

/** The first thing of a context that the policy does not let be handed over. A tool is denied when it is called. */
export function findDenial(context: ExecutionContext, policy: Policy): Denial | undefined {
  const asked = [
    ...Object.keys(context.files ?? {}).map((name) => ({ permission: 'file' as const, name })),
    ...Object.keys(context.environment ?? {}).map((name) => ({ permission: 'environment' as const, name })),
    ...Object.keys(context.imports ?? {}).map((name) => ({ permission: 'module' as const, name })),
  ];
  for (const request of asked) {
    const { isAllowed, rule } = decide(policy, request);
    if (!isAllowed) return { ...request, rule, line: null, column: null };
  }
  return undefined;
}
