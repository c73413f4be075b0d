import { Module } from '../../program/index.ts';
import { serve } from '../worker/serve.ts';
import { Critic_1_0, migratingBy, swapModules } from './swap-test-modules.ts';

const hanging = migratingBy(() => {
  for (;;);
});

class Edited extends Critic_1_0 {
  override forward(...given: Parameters<Critic_1_0['forward']>): ReturnType<Critic_1_0['forward']> {
    return super.forward(...given).then(({ count }) => ({ version: 'edited', count }));
  }
}

class Broken extends Critic_1_0 {
  constructor() {
    super();
    throw new TypeError('not yet');
  }
}

class Misnamed extends Critic_1_0 {
  static override readonly version: '1.0.0' = 'next' as '1.0.0';
}

const edits = { edited: Edited, broken: Broken, misnamed: Misnamed };

/** Stands for somebody who saves a file: the entry is evaluated anew, with another class. */
class Editor extends Module<{ edit: keyof typeof edits }, null> {
  override forward({ edit }: { edit: keyof typeof edits }): Promise<null> {
    serve({ pinned: edits[edit], editor: Editor }, { metrics: { always: () => true } });
    return Promise.resolve(null);
  }
}

export const { modules } = serve({
  ...swapModules,
  pinned: Critic_1_0,
  hanging: [Critic_1_0, hanging],
  editor: Editor,
});
