// 1,000 calls a second to a module that is swapped 50 times between two versions. Sabotaged: it is stopped and started instead.
import { runProofPage } from '../proof-page.mjs';

const page = 'tools/prove/swap/page.mjs';
const defaultSeconds = 10;
const swaps = 50;

/** @type {import('../prove.mjs').Prove} */
export async function prove({ sabotage, seconds = defaultSeconds, print }) {
  const report = await runProofPage(page, 'runSwap', { seconds, sabotage });
  const { asked, answered, codes, rate, wrongVersion, outOfOrder, endedOnOld, counted, isMigrated } = report;
  const failures = Object.entries(codes).map((entry) => entry.join(' × '));
  print(
    `calls ${asked}, ${rate.toFixed(0)} a second; answered ${answered}, failed: ${failures.join(', ') || 'none'}`,
  );
  print(
    `swaps ${report.swaps} of ${swaps}; p50 ${report.swapP50Ms?.toFixed(1)} ms, longest ${report.swapMaxMs?.toFixed(1)} ms; failed: ${report.swapErrors.join(', ') || 'none'}`,
  );
  print(`answers of another version than the one in charge when they were asked: ${wrongVersion}`);
  print(
    `calls that began after a later one of their caller: ${outOfOrder}; that ended on the version before: ${endedOnOld}`,
  );
  print(
    `answers that the module itself has counted: ${counted}; its other state is carried over: ${isMigrated}`,
  );
  const isServed = answered === asked && wrongVersion === 0 && outOfOrder === 0;
  return isServed && report.swaps === swaps && counted === answered && isMigrated;
}
