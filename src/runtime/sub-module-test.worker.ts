import { serve } from './serve.ts';
import { subModuleTestModules } from './sub-module-test-modules.ts';

serve(subModuleTestModules);
