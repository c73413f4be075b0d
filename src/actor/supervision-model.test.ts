import { test } from 'vitest';
import { expectLikeOtp } from './supervision.contract.ts';
import { decide } from './supervision.ts';
import { PureWorld } from './supervision-test-driver.ts';
import { RealWorld } from './supervision-test-real.ts';

test('the judgement does what OTP does, for any tree and anything that happens to it', async () => {
  await expectLikeOtp((tree) => new PureWorld(tree, decide), { numRuns: 3000 });
}, 120_000);

test('so does the supervisor, with real actors', async () => {
  await expectLikeOtp((tree) => new RealWorld(tree), { numRuns: 150, isConcurrent: true });
}, 120_000);
