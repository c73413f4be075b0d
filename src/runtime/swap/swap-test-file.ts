/** A module file that tests import by its address. */
import { Critic_1_1 } from './swap-test-modules.ts';

export class Critic_1_2 extends Critic_1_1 {
  static override readonly version: '1.1.0' = '1.2.0' as '1.1.0';
}
