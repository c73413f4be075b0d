// What the operating system is asked for: one browser under strace writes strictly, then relaxed, one commit after another.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveProof } from '../../proof-page.mjs';
import { BrowserProcess } from './browser-process.mjs';
import { acceptSockets } from './socket-server.mjs';

const tracer = 'strace';
const commitsPerLevel = 200;
/** Flushes per relaxed commit that are the engine's own business, such as a log that is full. */
const maxRelaxedShare = 0.1;
const timeoutMs = 120_000;

/** Why this machine cannot trace; undefined if it can. */
function whyNot() {
  if (process.platform !== 'linux') return `strace is Linux's, this is ${process.platform}`;
  const { error, status, stderr } = spawnSync(tracer, ['-f', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  });
  if (error) return `strace cannot be run: ${error.message}`;
  return status === 0 ? undefined : `strace may not trace here: ${stderr.trim().split('\n').at(-1)}`;
}

/** Moments, in seconds since 1970, at which a file of a database was flushed. @param {string} text of the trace */
function flushesIn(text) {
  return text
    .split('\n')
    .filter((line) => /\bf(data)?sync\(/.test(line) && line.includes('/IndexedDB/'))
    .map((line) => Number(/\d+\.\d+/.exec(line)?.[0]));
}

/** @param {import('./socket-server.mjs').Socket} socket @param {'strict' | 'relaxed'} level */
function writeAll(socket, level) {
  return new Promise((resolve, reject) => {
    const beganAt = Date.now() / 1000;
    const timer = setTimeout(() => reject(new Error(`no end of ${level} writes`)), timeoutMs);
    socket.onmessage = ({ error }) => {
      clearTimeout(timer);
      if (error) reject(new Error(error));
      else resolve({ level, beganAt, endedAt: Date.now() / 1000 });
    };
    socket.send({ level, commits: commitsPerLevel });
  });
}

/** @param {string} profile @param {string} file @param {{ page: string, kind: string }} options */
async function traceWrites(profile, file, { page, kind }) {
  const server = await serveProof(page);
  const meeting = new Promise((resolve) => {
    acceptSockets(server.httpServer, (socket) => (socket.onmessage = () => resolve(socket)));
  });
  const wrap = [tracer, '-f', '-y', '-ttt', '-e', 'trace=fsync,fdatasync', '-o', file];
  const browser = new BrowserProcess(profile, { wrap });
  try {
    const settings = { role: 'writer', name: 'writer', kind, address: server.url.replace(/^http/, 'ws') };
    await browser.open(`${server.url}#${encodeURIComponent(JSON.stringify(settings))}`);
    const socket = await meeting;
    // what opening the database flushed is not counted
    const phases = [];
    for (const level of /** @type {const} */ (['strict', 'relaxed', 'strict', 'relaxed']))
      phases.push(await writeAll(socket, level));
    await browser.send('Browser.close').catch(() => undefined);
    return phases;
  } finally {
    await browser.kill();
    await server.close();
  }
}

/** @param {{ page: string, kind: string, print: (line: string) => void }} options `kind` of store @returns {Promise<boolean | 'skipped'>} */
export async function traceFlushes({ page, kind, print }) {
  const reason = whyNot();
  if (reason) {
    print(`not traced: ${reason}`);
    return 'skipped';
  }
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-flushes-'));
  const file = join(folder, 'trace');
  try {
    const phases = await traceWrites(join(folder, 'profile'), file, { page, kind });
    const flushes = flushesIn(readFileSync(file, 'utf8'));
    let hasHeld = true;
    for (const { level, beganAt, endedAt } of phases) {
      const count = flushes.filter((at) => at >= beganAt && at <= endedAt).length;
      const isRight =
        level === 'strict' ? count >= commitsPerLevel : count <= commitsPerLevel * maxRelaxedShare;
      hasHeld &&= isRight;
      print(
        `${level.padEnd(8)} ${commitsPerLevel} commits, ${count} flushes of the database's files: ${isRight ? 'as promised' : 'fell short'}`,
      );
    }
    return hasHeld;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
