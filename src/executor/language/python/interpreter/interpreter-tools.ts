/** Tools as Python functions with a signature of their own. */
import { CodedError, messageOf } from '../../../../base/index.ts';
import type { GuestValue } from '../../../guest-value.ts';
import type { Tool, Tools } from '../../../tool.ts';
import { refusePythonName } from '../python-name.ts';
import type { InterpreterParameter, InterpreterTool } from './python-interpreter.ts';

/** The page's function behind the function that code calls. */
export const bridgePrefix = '_page_';
const defaultsName = '_page_defaults';

function invalid(field: string, expected: string, found: string): CodedError {
  return new CodedError('executor/tool-invalid', `${field}: expected ${expected}, found ${found}`, {
    fields: { field, expected, found },
  });
}

/** Checks a name before it is written into code. */
export function checkPythonName(field: string, name: string): string {
  const normal = typeof name === 'string' ? name.normalize('NFKC') : '';
  const reason = refusePythonName(normal);
  if (reason !== undefined || normal !== name) throw invalid(field, 'a name', reason ?? 'another form of it');
  return name;
}

const toParameter = (parameter: string | InterpreterParameter): InterpreterParameter =>
  typeof parameter === 'string' ? { name: parameter } : parameter;

/** A text as a literal that Python reads as the same text. */
const literal = (text: string): string => JSON.stringify(text).replaceAll('\u007F', '\\u007f');

function writeParameters(tool: string, parameters: readonly InterpreterParameter[]): string {
  const names = new Set<string>();
  let hasDefault = false;
  const written = parameters.map((parameter) => {
    const { name, type } = parameter;
    const field = `tools["${tool}"].parameters`;
    checkPythonName(field, name);
    if (names.has(name)) throw invalid(field, 'each name once', name);
    names.add(name);
    const isOptional = Object.hasOwn(parameter, 'default');
    if (hasDefault && !isOptional) throw invalid(field, 'those with a default last', name);
    hasDefault = isOptional;
    const value = isOptional ? ` = ${defaultsName}[${literal(tool)}][${literal(name)}]` : '';
    return `${name}${type === undefined ? '' : `: ${literal(type)}`}${value}`;
  });
  return written.join(', ');
}

function writeFunction(name: string, { parameters, description }: InterpreterTool): string {
  checkPythonName(`tools["${name}"]`, name);
  const list = parameters?.map(toParameter);
  const signature = list ? writeParameters(name, list) : '*args, **kwargs';
  const handedOn = list
    ? list.map((parameter) => `${parameter.name}=${parameter.name}`).join(', ')
    : signature;
  const text = description === undefined ? '' : `    ${literal(description)}\n`;
  return `def ${name}(${signature}):\n${text}    return ${bridgePrefix}${name}(${handedOn})\n`;
}

/** Code that defines a function for each tool, and the variables that it needs. Throws `executor/tool-invalid`. */
export function writeFunctions(tools: Readonly<Record<string, InterpreterTool>>): {
  readonly code: string;
  readonly variables: Readonly<Record<string, GuestValue>>;
} {
  const defaults = Object.entries(tools).map(([name, { parameters = [] }]) => [
    name,
    Object.fromEntries(
      parameters
        .map(toParameter)
        .flatMap((parameter) =>
          'default' in parameter ? [[parameter.name, parameter.default ?? null]] : [],
        ),
    ) as Readonly<Record<string, GuestValue>>,
  ]);
  const code = Object.entries(tools).map(([name, tool]) => writeFunction(name, tool));
  return { code: code.join('\n'), variables: { [defaultsName]: Object.fromEntries(defaults) as GuestValue } };
}

/** Python's words for what a tool of the page threw. */
function toRuntimeError(error: unknown): CodedError {
  const isError = error instanceof Error;
  const type = isError && error.name ? error.name : 'Error';
  return new CodedError('executor/tool-failed', `${type}: ${messageOf(error)}`, { cause: error });
}

/** @param inside runs what a tool does before its first `await` */
export function bridgeTools(
  tools: Readonly<Record<string, InterpreterTool>>,
  inside: <T>(work: () => T) => T,
): Tools {
  const bridges = Object.entries(tools).map(([name, tool]): readonly [string, Tool] => [
    `${bridgePrefix}${name}`,
    {
      async call({ named, arguments: values }) {
        try {
          return await inside(() => tool.call(named, values));
        } catch (error) {
          throw toRuntimeError(error);
        }
      },
    },
  ]);
  return Object.fromEntries(bridges);
}
