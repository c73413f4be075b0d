import { qaModules, testMetrics, testOptimizers } from './compile-test-tools.ts';
import { serve } from '../worker/serve.ts';

serve(qaModules, { optimizers: testOptimizers, metrics: testMetrics });
