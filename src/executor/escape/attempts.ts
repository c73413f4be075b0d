/** Every attempt there is. */
import type { EscapeAttempt } from './attempt.ts';
import { crashAttempts } from './family/crashes.ts';
import { evaluationAttempts } from './family/evaluation.ts';
import { fileAttempts } from './family/files.ts';
import { hogAttempts } from './family/hogs.ts';
import { leakAttempts } from './family/leaks.ts';
import { lifetimeAttempts } from './family/lifetime.ts';
import { messageAttempts } from './family/messages.ts';
import { networkAttempts } from './family/network.ts';
import { postgresAttempts } from './family/postgres.ts';
import { pollutionAttempts } from './family/pollution.ts';
import { protocolAttempts, protocolScripts } from './family/protocol.ts';
import { savingAttempts, savingScripts } from './family/saving.ts';
import { storageAttempts } from './family/storage.ts';
import { toolAttempts } from './family/tools.ts';
import { needScripts } from './need.ts';

/** In the order of what they are about. */
export const escapeAttempts: readonly EscapeAttempt[] = [
  ...networkAttempts,
  ...storageAttempts,
  ...messageAttempts,
  ...evaluationAttempts,
  ...pollutionAttempts,
  ...protocolAttempts,
  ...savingAttempts,
  ...toolAttempts,
  ...fileAttempts,
  ...hogAttempts,
  ...crashAttempts,
  ...lifetimeAttempts,
  ...leakAttempts,
  ...postgresAttempts,
];

/** The scripts of all of them, by name: what guests of the language `worker` are made of. */
export const escapeScripts: Readonly<Record<string, string>> = Object.assign(
  { ...protocolScripts, ...savingScripts, ...needScripts },
  ...escapeAttempts.map(({ scripts }) => scripts),
) as Record<string, string>;
