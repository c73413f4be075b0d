import type { Outcome } from 'vivarium/executor';

const units = {
  time: 'ms',
  memory: 'bytes',
  output: 'bytes',
  display: 'rich values, or bytes of one',
  result: 'bytes',
  calls: 'calls',
  keys: 'ms',
  fuel: 'instructions',
} as const;

const inLine = (line: number | null): string => (line === null ? '' : ` in line ${line}`);

/** What an outcome tells besides its type and its time. */
function detailsOf(outcome: Outcome): readonly string[] {
  switch (outcome.type) {
    case 'threw':
      return [`${outcome.error.type}${inLine(outcome.error.line)}: ${outcome.error.message}`];
    case 'syntax-error':
      return [`${outcome.message}${inLine(outcome.line)}`];
    case 'exceeded':
      return [`The limit of ${outcome.limit} is ${outcome.allowed} ${units[outcome.limit]}.`];
    case 'denied':
      return [`${outcome.name}${inLine(outcome.line)} is against the policy: ${outcome.rule}`];
    case 'failed':
      return [`Not the code's doing: ${outcome.code}, ${outcome.message}`];
    default:
      return [];
  }
}

/** What the next run has of a session whose interpreter had to be ended. */
function restoredOf({ isSandboxLost, restored }: Outcome): readonly string[] {
  if (!restored) return isSandboxLost ? ['Its interpreter was ended; the next run starts afresh.'] : [];
  const lost = restored.lost.map(({ name, reason }) => `Lost: ${name} (${reason}).`);
  return [`Brought back after a kill: ${restored.names.join(', ') || 'nothing'}.`, ...lost];
}

/** An outcome in sentences. Names and messages in them are the guest's: they are to be shown as text. */
export function describeOutcome(outcome: Outcome): readonly string[] {
  const ending = `${outcome.type} after ${Math.round(outcome.durationMs)} ms`;
  return [ending, ...detailsOf(outcome), ...restoredOf(outcome)];
}
