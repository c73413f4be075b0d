import { createExecutor } from '../../create-executor.ts';
import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import type { OpenExecutor } from '../../laws/executor.contract.ts';
import { typescriptSpelling } from './typescript-spelling.contract.ts';

const open: OpenExecutor = (options = {}) =>
  createExecutor({
    language: 'typescript',
    assets: { baseUrl: '/sandbox/' },
    frame: 'srcdoc',
    ...options,
  });

describeExecutor('TypeScript', open, typescriptSpelling);
describeExecutorLimits('TypeScript', open, typescriptSpelling);
