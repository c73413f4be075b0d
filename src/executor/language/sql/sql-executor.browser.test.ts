import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import { sqlSpelling } from './sql-spelling.contract.ts';
import { testTables } from './tables.contract.ts';
import { openUnwrapped } from './unwrapped-executor.contract.ts';

const place = { language: 'sql', assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' } as const;
const open = openUnwrapped(place);

describeExecutor('SQL', open, sqlSpelling);
describeExecutorLimits('SQL', open, sqlSpelling);

testTables(place);
