import { describeLocks } from './lock.contract.ts';
import { createSimulatedLocks } from './lock.ts';

describeLocks('simulated', createSimulatedLocks());
