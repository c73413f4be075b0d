/** What the policy denies, found in the text of the code and of the modules given with it, before any of it runs. */
import { containsModule } from '../../../policy/contains-module.ts';
import type { RunRequest } from '../../../sandbox/protocol.ts';
import { plain } from './modules.ts';
import { isFault, namesInModule } from './script.ts';
import type { NamedPlace, NamesInText, Place } from './script.ts';
import type { Translation } from './translation.ts';

type DeniedNames = Pick<RunRequest, 'deniedModules' | 'deniedGlobals' | 'deniedTools'>;

/** A text of the run. */
interface ReadText extends NamesInText {
  readonly toOriginal: (place: Place) => Place;
  /** Left out for the run's own code. */
  readonly file?: string;
}

/** The text of a result; `undefined` where nothing is denied. */
export function refusal(
  { modules, globals, toOriginal, file }: ReadText,
  { deniedModules, deniedGlobals, deniedTools }: DeniedNames,
): string | undefined {
  const denied = (permission: string, { name, line, column }: NamedPlace): string =>
    JSON.stringify({ type: 'denied', permission, name, ...toOriginal({ line, column }), file });
  const named = modules.find(({ name }) => deniedModules.some((rule) => containsModule(rule, name)));
  if (named) return denied('module', named);
  if (deniedGlobals.length + deniedTools.length === 0) return undefined;
  const used = globals().find(({ name }) => deniedGlobals.includes(name) || deniedTools.includes(name));
  return used && denied(deniedGlobals.includes(used.name) ? 'global' : 'tool', used);
}

/** As {@link refusal}, of the first module that names what is denied. One that cannot be compiled tells so when it is imported. */
export function refusalOfModules(request: RunRequest, translation: Translation): string | undefined {
  const words = [...request.deniedModules, ...request.deniedGlobals, ...request.deniedTools];
  for (const [file, source] of request.imports) {
    if (file.endsWith('.json') || !mayName(source, words)) continue;
    const translated = translation.module(source, file);
    if (isFault(translated)) continue;
    const { code, toOriginal } = translated;
    const denied = refusal({ ...namesInModule(code), toOriginal, file: plain(file) }, request);
    if (denied !== undefined) return denied;
  }
  return undefined;
}

/** Most modules need not be read for it. What is written with escapes is. */
function mayName(source: string, words: readonly string[]): boolean {
  return (
    words.length > 0 &&
    (source.includes('\\') || words.some((word) => source.includes(word.replace(/^node:/u, ''))))
  );
}
