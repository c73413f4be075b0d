import { serve } from 'vivarium/worker';
import { QA } from './qa.ts';

export const served = serve({ qa: QA });
