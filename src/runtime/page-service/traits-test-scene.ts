/** What the executors of the page's tests say of themselves. */
import type { Executor } from '../../executor/index.ts';

export const traits: Pick<Executor, 'language' | 'capabilities'> = {
  language: 'python',
  capabilities: {
    hasVariables: true,
    hasFiles: true,
    hasImports: false,
    hasSubmit: true,
    isRenewable: false,
    keepsTime: true,
  },
};
