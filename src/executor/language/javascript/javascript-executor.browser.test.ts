import { createExecutor } from '../../create-executor.ts';
import type { OpenExecutor } from '../../laws/executor.contract.ts';
import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import { javascriptSpelling } from './javascript-spelling.contract.ts';

const open: OpenExecutor = (options = {}) =>
  createExecutor({
    language: 'javascript',
    assets: { baseUrl: '/sandbox/' },
    frame: 'srcdoc',
    ...options,
  });

describeExecutor('JavaScript', open, javascriptSpelling);
describeExecutorLimits('JavaScript', open, javascriptSpelling);
