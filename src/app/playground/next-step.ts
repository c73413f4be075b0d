/** What a reader can do about an error, by its code. */
import { isCodedError, messageOf } from '../../base/index.ts';
import type { Notice } from '../../elements/index.ts';

/** Exact codes first, then a layer's own sentence. */
const steps: Readonly<Record<string, string>> = {
  'app/csv-too-large': 'Load a smaller file, for example a sample of its rows.',
  'app/csv-too-many-rows': 'Load a smaller file, for example a sample of its rows.',
  'app/csv-':
    'Correct the file where the message says and load it again. The table shown before is unchanged.',
  'app/copy-id-invalid':
    'Open the page without “copy” in its address, or with the address that a copy was given.',
  'app/example-unavailable': 'Try again, or load a CSV of yours.',
  'app/question-not-prepared': 'Choose a prepared question, or connect a model of yours under “Model”.',
  'app/module-': 'Correct the source and apply again. The module that was running keeps serving.',
  'lm/auth': 'Check the key under “Model” and test the endpoint.',
  'lm/rate-limited': 'Wait a little and run again.',
  'lm/unreachable-or-cors':
    'Check the address, that the server runs, and that it allows this page’s origin (CORS). “Test this endpoint” tells more.',
  'lm/timeout': 'Run again, or choose a faster model.',
  'lm/': 'Check the settings under “Model”, or go back to the scripted model.',
  'program/constraint-violated': 'Choose a value within the constraint. The old value stays.',
  'program/adapter-parse-failed':
    'The model did not keep to the format. Run again, or choose a stronger model.',
  'executor/': 'Run again: each run gets a fresh sandbox.',
  'actor/peer-died': 'The worker died during the call; its supervisor starts it again. Run again.',
  'actor/': 'The supervisor restarts the module. Run again.',
  'runtime/module-running-elsewhere':
    'Two tabs must not own the same state. Close the other one and the program starts here by itself, or work on a separate copy.',
  'runtime/': 'Press “Start the program”, or reload the page.',
  'app/python-failed': 'Run again, ask more simply, or raise maxAttempts.',
  'app/python-exceeded': 'Run again, or ask for something smaller.',
  'app/python-exceeded/time': 'Run again, ask for something smaller, or raise timeLimitMs.',
  'app/python-exceeded/memory':
    'Ask for something smaller, or load fewer rows: the memory of the sandbox is fixed.',
  'app/python-exceeded/output':
    'Run again, or ask for a summary: the code printed more than the sandbox passes on.',
  'app/python-exceeded/display': 'Run again, or ask for fewer pictures and tables.',
  'app/python-exceeded/result':
    'Run again, or ask for a summary: the result was larger than the sandbox passes on.',
  'app/python-exceeded/keys': 'Run again, or ask for a list instead of a table of keys.',
  'app/python-exceeded/calls': 'Run again, or ask for something that takes fewer calls.',
  'app/program-ended': 'Press “Start the program”: a fresh supervisor starts it with the parameters it had.',
  'app/executor-missing': 'Reload the page.',
  'port/cancelled': 'Run again when you are ready.',
  'port/timeout': 'Run again. If it happens often, choose a faster model or a smaller table.',
  'state/storage-unavailable':
    'Allow this site to store data, or leave the private window. Until then nothing outlives this page.',
  'state/quota-exceeded':
    'Free space in this browser, then repeat what you did. What was acknowledged before is safe.',
  'state/': 'Repeat what you did. What was acknowledged before is safe.',
  'compute/': 'The table and the program are not affected.',
};

/** The next step for a code: the longest entry that the code starts with. */
export function nextStep(code: string): string | undefined {
  const found = Object.keys(steps)
    .filter((prefix) => code.startsWith(prefix))
    .toSorted((one, other) => other.length - one.length)[0];
  return found === undefined ? undefined : steps[found];
}

/** Anything that was thrown, as a notice. */
export function toNotice(thrown: unknown): Notice {
  if (!isCodedError(thrown)) return { code: 'app/unexpected', message: messageOf(thrown) };
  const { limit } = thrown.fields;
  const next = nextStep(typeof limit === 'string' ? `${thrown.code}/${limit}` : thrown.code);
  return {
    code: thrown.code,
    message: thrown.message,
    ...(next === undefined ? {} : { next }),
    ...(Object.keys(thrown.fields).length === 0 ? {} : { fields: thrown.fields }),
  };
}
