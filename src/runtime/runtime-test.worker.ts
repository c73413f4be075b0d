import { testModules } from './runtime-test-modules.ts';
import { serve } from './serve.ts';

serve(testModules);
