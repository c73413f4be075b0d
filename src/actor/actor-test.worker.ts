import { createWorkerScopePort } from '../port/index.ts';
import { testKinds } from './actor-test-kinds.ts';
import { Host } from './host.ts';

new Host(createWorkerScopePort(), testKinds);
