import { faultTestModules } from './fault-test-modules.ts';
import { serve } from './serve.ts';

serve(faultTestModules);
