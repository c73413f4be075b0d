import { serve } from '../worker/serve.ts';
import { subModuleTestModules } from './sub-module-test-modules.ts';

serve(subModuleTestModules);
