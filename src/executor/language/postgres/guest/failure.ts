/** How a run that failed is told. */
import { TableFault } from '../../../guest/given-table.ts';
import type { Place } from '../../sql/guest/statements.ts';
import { BackendEnded } from './backend.ts';
import type { Over } from './run-bounds.ts';
import type { Report } from './wire.ts';

const messageLength = 16_384;
const short = (text: string): string => text.slice(0, messageLength);

/** SQLSTATE of what a bound of the interpreter's own refused. */
const outOfMemory = '53200';
const tooComplex = '54001';

/** A statement failed. */
export class StatementFault extends Error {
  readonly report: Report;
  readonly place: Place;

  constructor(report: Report, place: Place) {
    super(report.message);
    this.report = report;
    this.place = place;
  }
}

/** As the result of a run. Rethrows what is no fault of the guest's. */
export function failureOf(error: unknown, over: Over | undefined): unknown {
  if (over === 'stopped') return threw('InterruptError', '', { notes: [] });
  if (over !== undefined) return { type: 'exceeded', limit: over };
  if (error instanceof TableFault) return threw('TypeError', error.message, { notes: [] });
  if (error instanceof StatementFault) return told(error);
  if (error instanceof BackendEnded) return ended(error);
  throw error;
}

function told({ report, place }: StatementFault): unknown {
  const { code, message, detail, hint, where } = report;
  if (code === outOfMemory) return { type: 'exceeded', limit: 'memory' };
  const notes = [
    `at line ${place.line}, column ${place.column}`,
    ...(detail === undefined ? [] : [`detail: ${detail}`]),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
    ...(where === undefined ? [] : [`where: ${where}`]),
  ];
  return threw(code, message, { line: place.line, notes });
}

/** Postgres had said why, or its own stack or memory ended before its count of it. */
function ended(error: BackendEnded): unknown {
  const { cause } = error;
  if (cause instanceof StatementFault) return told(cause);
  if (cause instanceof RangeError) return threw(tooComplex, 'stack depth limit exceeded', { notes: [] });
  throw error;
}

function threw(type: string, message: string, { line = null, notes }: Told): unknown {
  const text = short(message);
  const traceback = [`${type}: ${text}`, ...notes.map((note) => `    ${short(note)}`)].join('\n');
  return { type: 'threw', error: { type, message: text, traceback: short(traceback), line } };
}

interface Told {
  readonly line?: number | null;
  readonly notes: readonly string[];
}
