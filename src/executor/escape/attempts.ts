/** Every attempt there is. */
import type { EscapeAttempt } from './attempt.ts';
import { evaluationAttempts } from './family/evaluation.ts';
import { networkAttempts } from './family/network.ts';
import { storageAttempts } from './family/storage.ts';

/** In the order of what they are about. */
export const escapeAttempts: readonly EscapeAttempt[] = [
  ...networkAttempts,
  ...storageAttempts,
  ...evaluationAttempts,
];

/** The scripts of all of them, by name: what guests of the language `worker` are made of. */
export const escapeScripts: Readonly<Record<string, string>> = Object.assign(
  {},
  ...escapeAttempts.map(({ scripts }) => scripts),
) as Record<string, string>;
