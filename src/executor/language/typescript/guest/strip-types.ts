/** Takes types off. Every line stays where it was; columns are found again by the map that is written meanwhile. */
import { transform } from 'sucrase';
import { isFault } from '../../javascript/guest/script.ts';
import type { ScriptFault } from '../../javascript/guest/script.ts';
import { noTranslation } from '../../javascript/guest/translation.ts';
import type { Translated, Translation } from '../../javascript/guest/translation.ts';
import { findNamespace } from './find-namespace.ts';
import { readColumns } from './source-columns.ts';

const fileName = 'run.ts';

function translate(source: string): { code: string; mappings: string } {
  const { code, sourceMap } = transform(source, {
    transforms: ['typescript'],
    // the interpreter knows the language of today
    disableESTransforms: true,
    // what nobody seems to use may be used by a later run, and a module that is only loaded does something
    keepUnusedImports: true,
    filePath: fileName,
    sourceMapOptions: { compiledFilename: fileName },
  });
  return { code, mappings: sourceMap?.mappings ?? '' };
}

function faultOf(error: unknown): ScriptFault {
  if (!(error instanceof SyntaxError)) {
    return { message: 'the code is nested too deep to compile', line: null, column: null };
  }
  const { message } = error;
  const { loc } = error as { loc?: { line: number; column: number } };
  const words = message.replace(`Error transforming ${fileName}: `, '').replace(/ \(\d+:\d+\)$/u, '');
  return { message: words, line: loc?.line ?? null, column: loc?.column ?? null };
}

function strip(source: string): Translated | ScriptFault {
  try {
    const { code, mappings } = translate(source);
    const namespace = findNamespace(source);
    if (namespace) return namespace;
    let columns: ReturnType<typeof readColumns> | undefined;
    return {
      code,
      toOriginal: (place) => (columns ??= readColumns(mappings))(place),
    };
  } catch (error) {
    return faultOf(error);
  }
}

function script(source: string): Translated | ScriptFault {
  const stripped = strip(source);
  // perhaps an object, which is no statement: the reader of JavaScript knows
  return isFault(stripped) && /^\s*\{/u.test(source) ? noTranslation.script(source) : stripped;
}

export const stripTypes: Translation = {
  script,
  module: (source, name) => (/\.m?js$/u.test(name) ? noTranslation.module(source, name) : strip(source)),
  endings: ['.ts', '.mts', '.tsx', '.js', '.mjs', '.json'],
};
