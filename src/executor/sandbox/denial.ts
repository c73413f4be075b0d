/** What the policy said no to, on its way to an outcome. */
import type { Denied } from '../outcome.ts';

export type Denial = Pick<Denied, 'permission' | 'name' | 'rule' | 'line' | 'column'>;
