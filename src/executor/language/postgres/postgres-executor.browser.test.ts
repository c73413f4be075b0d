import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import { postgresSpelling } from './postgres-spelling.contract.ts';
import { testTables } from '../sql/tables.contract.ts';
import { openUnwrapped } from '../sql/unwrapped-executor.contract.ts';

const place = { language: 'postgres', assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' } as const;
// less to fill for those that fill it
const open = openUnwrapped({ ...place, limits: { fileBytes: 8 * 2 ** 20 } });

describeExecutor('Postgres', open, postgresSpelling);
describeExecutorLimits('Postgres', open, postgresSpelling);

testTables(place);
