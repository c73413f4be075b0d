import { serve } from '../worker/serve.ts';
import { benchModules } from './bench-modules.ts';

serve(benchModules);
