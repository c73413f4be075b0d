/** The model of a page without an endpoint. It is not a language model: it replays code and fills sentences. */
import { CodedError } from '../../base/index.ts';
import type { JsonObject } from '../../base/index.ts';
import type { LanguageModel, LmRequest, ScriptedReply } from '../../lm/index.ts';
import { scriptedLm } from '../../lm/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { PreparedQuestion } from './prepared-questions.ts';
import { preparedQuestions } from './prepared-questions.ts';

/** Pace of the replay, so that streaming can be seen. */
const wordDelayMs = 6;

/** How the Chat adapter ends a request; it is no part of the last section. */
const reminder = '\n\nRespond with the corresponding output fields';

/** The last user turn as sections of the Chat adapter: `[[ ## name ## ]]` and what follows. */
export function promptSections(request: LmRequest): ReadonlyMap<string, string> {
  const last = request.messages.findLast(({ role }) => role === 'user');
  const text = typeof last?.content === 'string' ? last.content : '';
  const [inputs = ''] = text.split(reminder);
  const parts = inputs.split(/^\[\[ ## (\w+) ## \]\]$/mu);
  const sections = new Map<string, string>();
  for (let at = 1; at < parts.length; at += 2) sections.set(parts[at] ?? '', (parts[at + 1] ?? '').trim());
  return sections;
}

/** `{name}` in the sentence becomes that member of the result. A member that is missing shows as `?`. */
export function fillSentence(sentence: string, result: JsonObject): string {
  return sentence.replaceAll(/\{(\w+)\}/gu, (_, name: string) => {
    const value = result[name];
    return value === undefined || value === null || typeof value === 'object' ? '?' : String(value);
  });
}

function completion(sections: Readonly<Record<string, string>>): ScriptedReply {
  const body = Object.entries(sections).map(([name, text]) => `[[ ## ${name} ## ]]\n${text}`);
  return { text: [...body, '[[ ## completed ## ]]'].join('\n\n'), wordDelayMs };
}

function findPrepared(question: string): PreparedQuestion {
  const prepared = preparedQuestions.find((candidate) => candidate.question === question.trim());
  if (prepared) return prepared;
  throw new CodedError(
    'app/question-not-prepared',
    'The scripted model knows only the prepared questions, and this is not one of them.',
    { fields: { question: question.slice(0, 200) } },
  );
}

function readResult(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // said below, with the text that was found
  }
  throw new CodedError(
    'app/script-result-unreadable',
    'The scripted model was shown a result that is not a JSON object.',
    {
      fields: { result: text.slice(0, 200) },
    },
  );
}

/** What the script answers to one request. Exported for its tests. */
export function scriptedReply(request: LmRequest): ScriptedReply {
  const sections = promptSections(request);
  const prepared = findPrepared(sections.get('question') ?? '');
  const result = sections.get('result');
  if (result !== undefined)
    return completion({ answer: fillSentence(prepared.sentence, readResult(result)) });
  const wasRefused = (sections.get('previous_error') ?? '') !== '';
  const code = wasRefused ? (prepared.repairedCode ?? prepared.code) : prepared.code;
  const reasoning = wasRefused
    ? 'The error says what the first try overlooked, so I handle that case.'
    : prepared.reasoning;
  return completion({ reasoning, code: `\`\`\`python\n${code}\n\`\`\`` });
}

/** `scripted/ask-table`. Errors beside those of every model: `app/question-not-prepared`. */
export function createScriptedModel(hub?: Hub): LanguageModel {
  return scriptedLm({ name: 'ask-table', script: scriptedReply, hub });
}
