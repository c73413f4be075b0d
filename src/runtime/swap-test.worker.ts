import { serve } from './serve.ts';
import { Critic_1_0, migratingBy, swapModules } from './swap-test-modules.ts';

const hanging = migratingBy(() => {
  for (;;);
});

export const { modules } = serve({ ...swapModules, hanging: [Critic_1_0, hanging] });
