import { testModules } from './runtime-test-modules.ts';
import { serve } from './worker/serve.ts';

serve(testModules);
