// 200 modules under steady calls while a random worker is ended every second and random modules throw, hang and leak.
// Sabotaged: supervision is switched off, so that the first loss is for good.
import { runProofPage } from '../proof-page.mjs';

const page = 'tools/prove/availability/page.mjs';
const defaultSeconds = 60;
const minRetriedRatio = 0.999;
/** Kills, hangs and throws that must really have happened: 55 of each in a minute. */
const minFaultsPerSecond = 55 / 60;

const ratioOf = ({ asked, answered }) => (asked === 0 ? 0 : answered / asked);

/** @param {string} name */
function lineOf(name, account) {
  const { asked, wrong, codes } = account;
  const failures = Object.entries({ ...codes, ...(wrong > 0 ? { wrong } : {}) }).map((entry) =>
    entry.join(' × '),
  );
  const percent = (100 * ratioOf(account)).toFixed(3);
  return `${name.padEnd(28)} ${String(asked).padStart(7)} asked  ${percent.padStart(8)} %  ${failures.join(', ')}`;
}

/** @param {Record<string, number>} counts */
const listOf = (counts) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** @param {(line: string) => void} print @param {any} report */
function printReport(print, { accounts, faults, outages, budget, leaks, ...report }) {
  print(lineOf('calls, first attempt', accounts.first));
  print(lineOf(`calls, up to ${report.maxAttempts} attempts`, accounts.retried));
  print(lineOf('writes acknowledged', accounts.writes));
  print(lineOf('reads after a write', accounts.checks));
  print(`what went wrong: ${listOf(faults)}`);
  print(`what was noticed: ${listOf(report.events)}`);
  const { medianMs, worst } = outages;
  print(
    `longest outage of a module: median ${medianMs.toFixed(0)} ms, worst ${worst.longestMs.toFixed(0)} ms (${worst.id})`,
  );
  print(
    `restart budget: ${budget.maxRestarts} in ${budget.maxSeconds} s, ${budget.left} left; at most ${budget.mostOfOneModule} restarts of one module`,
  );
  print(`at the end ${report.running} of ${report.modules} modules run in ${report.live} workers`);
  print(
    `acknowledged writes lost: ${report.lostWrites} while it ran, ${report.lostInStore} in the store; modules that could not be read: ${report.unread}`,
  );
  print(`calls unanswered: ${report.unanswered}`);
  print(
    `left after closing: workers ${leaks.workers} of ${leaks.created}, port listeners ${leaks.listeners}, timers ${leaks.timers}, locks ${leaks.locks}, hub listeners ${leaks.hubListeners}`,
  );
}

/** What fell short, in words. @param {any} report @param {number} seconds @returns {string[]} */
function shortcomings({ accounts, faults, leaks, ...report }, seconds) {
  const minFaults = Math.floor(minFaultsPerSecond * seconds);
  // one that was ended before it had said hello never started
  const noticed = ['ended', 'start-failed'].reduce(
    (sum, cause) => sum + (report.events[`worker-lost: ${cause}`] ?? 0),
    0,
  );
  const wrong = accounts.first.wrong + accounts.retried.wrong;
  const checks = {
    [`not more than ${100 * minRetriedRatio} % served`]: ratioOf(accounts.retried) > minRetriedRatio,
    [`fewer than ${minFaults} kills`]: Math.min(faults.kills, noticed) >= minFaults,
    [`fewer than ${minFaults} hangs`]: faults.hangs >= minFaults,
    [`fewer than ${minFaults} throws`]: faults.throws >= minFaults,
    'nothing leaked': faults.leaks + faults.capped > 0,
    'wrong answers': wrong === 0,
    'calls unanswered': report.unanswered === 0,
    'acknowledged writes lost': report.lostWrites === 0 && report.lostInStore === 0,
    'modules that could not be read': report.unread === 0,
    'modules that do not run': report.running === report.modules,
    'workers left': leaks.workers === 0,
    'listeners left': leaks.listeners === 0 && leaks.hubListeners === 0,
    'timers left': leaks.timers === 0,
    'locks left': leaks.locks === 0,
  };
  return Object.entries(checks).flatMap(([what, isFine]) => (isFine ? [] : [what]));
}

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, seconds = defaultSeconds, print }) {
  const report = await runProofPage(page, 'runAvailability', { seconds, sabotage });
  printReport(print, report);
  const short = shortcomings(report, seconds);
  for (const what of short) print(`fell short: ${what}`);
  return short.length === 0;
}
