import { serve } from '../serve.ts';
import { benchModules } from './bench-modules.ts';

serve(benchModules);
