/** Ways through Postgres, whose only user may do everything that Postgres can: to programs, files, libraries and servers. */
import type { Outcome } from '../../outcome.ts';
import type { EscapeAttempt, EscapeFamily } from '../attempt.ts';
import { crashing, ended, exceeds, pairInSession, pairOfRuns, poisoning, throwsText } from '../beside.ts';
import type { BesidePlan, Pair } from '../beside.ts';

const plan = (id: string, mechanism: string): BesidePlan => ({ id, language: 'postgres', mechanism });

/** The one cell of the answer. */
const cells =
  (value: unknown) =>
  (outcome: Outcome): boolean => {
    const rows = outcome.type === 'returned' ? (outcome.value as { rows?: unknown } | null)?.rows : undefined;
    return JSON.stringify(rows) === JSON.stringify([[value]]);
  };

const inSession = (
  family: EscapeFamily,
  id: string,
  mechanism: string,
  pair: Pick<Pair, 'code' | 'holds' | 'allowed'> & Partial<Pair>,
): EscapeAttempt =>
  pairInSession(family, plan(id, mechanism), {
    shows: ended('returned'),
    words: 'the same was done where it leads nowhere',
    ...pair,
  });

const files: readonly EscapeAttempt[] = [
  inSession('files', 'pg-program', 'a program of the machine that reads or writes a table', {
    code: "CREATE TEMP TABLE IF NOT EXISTS said (line text); COPY said FROM PROGRAM 'id'; COPY said TO PROGRAM 'cat'",
    holds: ended('threw'),
    allowed: "CREATE TEMP TABLE IF NOT EXISTS said (line text); COPY said FROM '/pglite/data/PG_VERSION'",
  }),
  inSession('files', 'pg-read-file', "files of the machine, by Postgres' own functions", {
    code: `SELECT count(*) AS n FROM unnest(ARRAY['/proc/self/environ', '/proc/1/cmdline', '/etc/shadow', '/home/../etc/hostname']) AS f(path)
      WHERE octet_length(coalesce(pg_read_binary_file(path, 0, 8, true), '')) > 0`,
    holds: cells(0),
    allowed: "SELECT pg_read_file('PG_VERSION') AS version",
  }),
  poisoning('files', plan('pg-large-object', 'a large object that is written out as a file'), {
    code: "SELECT lo_from_bytea(4242, 'x'); SELECT lo_export(4242, '/tmp/{token}')",
    look: "SELECT count(*) AS n FROM pg_ls_dir('/tmp') AS f WHERE f = '{token}'",
    mark: { columns: ['n'], rows: [[1]] },
  }),
  poisoning('files', plan('pg-settings-file', "settings for all who start later, in Postgres' own file"), {
    code: "ALTER SYSTEM SET application_name = '{token}'",
    look: "SELECT count(*) AS n FROM pg_file_settings WHERE setting = '{token}'",
    mark: { columns: ['n'], rows: [[1]] },
  }),
];

const code: readonly EscapeAttempt[] = [
  inSession('evaluation', 'pg-extension', 'an extension that speaks with other servers', {
    code: 'CREATE EXTENSION dblink',
    holds: throwsText(/is not available/u),
    allowed: 'CREATE EXTENSION IF NOT EXISTS plpgsql',
  }),
  inSession('evaluation', 'pg-language', 'a language whose code may do what the machine can', {
    code: "CREATE EXTENSION plpython3u; DO LANGUAGE plpython3u 'import os'",
    holds: throwsText(/is not available/u),
    allowed: "DO LANGUAGE plpgsql 'BEGIN END'",
  }),
  inSession(
    'evaluation',
    'pg-library',
    'a library that the guest has written itself, loaded as native code',
    {
      code: "SELECT lo_from_bytea(4243, '\\x0061736d01000000'); SELECT lo_export(4243, '/tmp/own.so'); SELECT lo_unlink(4243); LOAD '/tmp/own.so'",
      holds: ended('threw'),
      allowed: "LOAD 'plpgsql'",
    },
  ),
  inSession('network', 'pg-subscription', 'a subscription to what another server publishes', {
    code: "CREATE SUBSCRIPTION s CONNECTION 'host={host} port={port} dbname=x' PUBLICATION p",
    holds: ended('threw'),
    allowed: 'CREATE PUBLICATION own; DROP PUBLICATION own',
  }),
  crashing(
    plan(
      'pg-wrong-types',
      "a function of Postgres' own under wrong types, so that a number is taken for a pointer",
    ),
    "CREATE FUNCTION wrong(bigint) RETURNS cstring LANGUAGE internal AS 'textout'; SELECT wrong(2147483600)",
    ended('threw', 'failed', 'lost', 'exceeded'),
  ),
  crashing(
    plan('pg-exit', 'a setting by which the backend ends at the first error'),
    'SET exit_on_error = on; SELECT 1/0',
    ended('threw', 'failed', 'lost'),
  ),
];

const hogs: readonly EscapeAttempt[] = [
  pairOfRuns('hogs', plan('pg-loop', 'a block that goes on for ever and looks at nothing'), {
    code: 'DO $$ BEGIN LOOP NULL; END LOOP; END $$',
    holds: exceeds('time'),
    allowed: 'DO $$ BEGIN FOR i IN 1..9 LOOP NULL; END LOOP; END $$',
    shows: ended('returned'),
    words: 'a shorter one came to its end',
    options: { timeoutMs: 400 },
  }),
  inSession('hogs', 'pg-recursion', 'rows without end, which Postgres puts into files', {
    code: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n',
    holds: throwsText(/^53100: .*No space left/u),
    allowed:
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM (SELECT i FROM n LIMIT 9) AS s',
    options: { timeoutMs: 60_000 },
  }),
  inSession('hogs', 'pg-text', 'a text of half a gigabyte', {
    code: "SELECT length(repeat('x', 500000000)) AS n",
    holds: exceeds('memory'),
    allowed: "SELECT length(repeat('x', 50)) AS n",
  }),
  inSession('hogs', 'pg-call-depth', 'a function that calls itself until the stack ends', {
    code: "CREATE OR REPLACE FUNCTION deep(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN deep($1 - 1); END'; SELECT deep(1)",
    holds: throwsText(/^54001: /u),
    allowed:
      "CREATE OR REPLACE FUNCTION deep(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN $1 < 1 THEN 0 ELSE deep($1 - 1) END; END'; SELECT deep(5)",
  }),
];

export const postgresAttempts: readonly EscapeAttempt[] = [...files, ...code, ...hogs];
