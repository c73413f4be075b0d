import { faultTestModules } from './fault-test-modules.ts';
import { serve } from '../worker/serve.ts';

serve(faultTestModules);
