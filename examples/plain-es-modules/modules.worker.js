// what runs in the worker
import { serve } from './node_modules/vivarium/dist/plain/worker.js';
import { Critic } from './critic.js';

serve({ critic: Critic });
