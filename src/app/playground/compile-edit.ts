/** From the text in the editor to a module the worker can import: types stripped, specifiers rewritten. */
import { CodedError, messageOf } from '../../base/index.ts';

/** Longest source that is compiled, in characters. A program of one file is far below; a pasted data file is not. */
export const maxSourceLength = 200_000;

const ownNames = new Set(['vivarium', 'vivarium/worker', './vivarium.ts']);

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Line and column, from 1, of an offset. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/**
 * The JavaScript of an edited module. Lines stay where they were, so that a stack names the edited line.
 * @param entry absolute address that `vivarium` becomes
 * @throws `app/module-too-long`, `app/module-syntax` and `app/module-import-refused`, with fields `line` and `column` where known
 */
export async function compileEdit(source: string, entry: string): Promise<string> {
  if (source.length > maxSourceLength)
    throw new CodedError(
      'app/module-too-long',
      `The source has ${source.length} characters; at most ${maxSourceLength} are taken.`,
      {
        fields: { length: source.length, limit: maxSourceLength },
      },
    );
  const code = await stripTypes(source);
  return `${await rewriteImports(code, entry)}\n//# sourceURL=ask-table.ts\n`;
}

async function stripTypes(source: string): Promise<string> {
  const { transform } = await import('sucrase');
  try {
    return transform(source, { transforms: ['typescript'], disableESTransforms: true }).code;
  } catch (error) {
    const { loc } = error as { readonly loc?: Place };
    const message = messageOf(error)
      .replace(/^Error transforming [^:]*: /u, '')
      .replace(/ \(\d+:\d+\)$/u, '');
    throw syntaxError(message, loc, error);
  }
}

async function rewriteImports(code: string, entry: string): Promise<string> {
  const { init, parse } = await import('es-module-lexer');
  await init();
  let imports: ReturnType<typeof parse>[0];
  try {
    [imports] = parse(code);
  } catch (error) {
    const { idx } = error as { readonly idx?: number };
    throw syntaxError(
      'this is not a module that can be read',
      idx === undefined ? undefined : placeOf(code, idx),
      error,
    );
  }
  let text = code;
  // from the last to the first, so that the places of the others stay right
  for (const { type, specifier, start, end } of imports.toReversed()) {
    if (type === 'import-meta') continue;
    if (!specifier || !ownNames.has(specifier))
      throw refused(specifier ?? 'a computed address', placeOf(code, start));
    // the place of a dynamic import includes its quotes
    text = text.slice(0, start) + (type === 'dynamic' ? JSON.stringify(entry) : entry) + text.slice(end);
  }
  return text;
}

function syntaxError(message: string, place: Place | undefined, cause: unknown): CodedError {
  const fields = place ? { line: place.line, column: place.column } : {};
  return new CodedError('app/module-syntax', `The source has a syntax error: ${message}`, { fields, cause });
}

function refused(specifier: string, { line, column }: Place): CodedError {
  return new CodedError(
    'app/module-import-refused',
    `“${specifier}” cannot be imported here; an edited module can import “vivarium” and nothing else.`,
    { fields: { specifier, line, column } },
  );
}
