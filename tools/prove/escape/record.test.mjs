import { describe, expect, it } from 'vitest';
import { escapeAttempts } from '../../../src/executor/escape/attempts.ts';
import { putEngineTable, readEngineTable, readFindings, summarize, writeEngineTable } from './record.mjs';

/** Those of the list, and contacts that carry no token, which are looked for besides. */
const attempts = escapeAttempts.length + 1;

describe('the table of engines in docs/security.md', () => {
  it('is what the proofs have found, and counts the attempts that there are', () => {
    const table = writeEngineTable(readFindings(), attempts);
    if (process.env['WRITE_DOCS']) putEngineTable(table);
    expect(readEngineTable(), 'run it with WRITE_DOCS=1').toBe(table);
  });

  it('names only attempts that there are', () => {
    const names = new Set(['unnamed', ...escapeAttempts.map(({ id }) => id)]);
    const findings = Object.values(readFindings());
    expect(findings.flatMap(({ absent }) => absent).filter((name) => !names.has(name))).toEqual([]);
  });

  it('changes with what was found, and with how many attempts there are', () => {
    const { chromium: finding } = readFindings();
    if (!finding) throw new Error('nothing was found');
    const table = (/** @type {object} */ change, now = finding.attempts) =>
      writeEngineTable({ chromium: { ...finding, ...change } }, now);
    expect(table({}, finding.attempts + 1)).toContain(
      `of ${finding.attempts}; there are ${finding.attempts + 1} now`,
    );
    expect(table({ gotOut: ['fetch'] })).toContain(`1 (\`fetch\`) of ${finding.attempts}`);
    expect(table({ unproved: ['eval'] })).toContain('unproved: `eval`');
    expect(table({ can: { 'a question': 'yes' } })).toContain('| a question | yes |');
  });

  it('has one answer for languages that answer alike', () => {
    const answers = {
      python: 'stopped, 512 ms',
      sql: 'stopped, 530 ms',
      wat: 'ended with its worker, 760 ms',
    };
    const rows = [
      { question: 'an endless loop, after 500 ms', answers, isWrong: false },
      { question: 'a tool that is awaited', answers: { python: 'yes', sql: '–' }, isWrong: false },
      { question: 'first result', answers: { python: '900 ms' }, isWrong: false },
      { question: 'memory without end', answers: { python: 'exceeded: memory' }, isWrong: false },
    ];
    const platform = {
      SharedArrayBuffer: 'true',
      'Python from a snapshot': 'yes, 400 ms to the first result',
    };
    expect(summarize({ platform, rows })).toEqual({
      'memory shared with the guest': 'yes',
      'a guest that waits without it (JSPI)': 'no',
      'Python from an image of its memory': 'yes',
      'a loop at its time limit': '`python`, `sql`: stopped; `wat`: ended with its worker',
      'a tool that is awaited': 'yes',
      'runs programs': 'yes',
    });
  });
});
