import { expect, test } from 'vitest';
import { createExecutor } from '../../create-executor.ts';
import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import { postgresSpelling } from './postgres-spelling.contract.ts';
import { openUnwrapped } from '../sql/unwrapped-executor.contract.ts';

const place = { language: 'postgres', assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' } as const;
// less to fill for those that fill it
const open = openUnwrapped({ ...place, limits: { fileBytes: 8 * 2 ** 20 } });

describeExecutor('Postgres', open, postgresSpelling);
describeExecutorLimits('Postgres', open, postgresSpelling);

test('tables go in, rows and tables come out', async () => {
  await using executor = createExecutor(place);
  const variables = {
    orders: [
      { item: 'a', price: 2n ** 60n },
      { item: 'b', price: 3 },
    ],
    least: 2,
  };
  const files = { 'stock.csv': 'item,count\na,5\nb,\n' };
  const outcome = await executor.execute(
    'SELECT item, price, count FROM orders JOIN stock USING (item) WHERE price > :least ORDER BY item',
    { variables, files },
    { outputs: ['stock'] },
  );
  expect(outcome).toMatchObject({
    type: 'returned',
    value: {
      columns: ['item', 'price', 'count'],
      rows: [
        ['a', 2n ** 60n, 5],
        ['b', 3, null],
      ],
    },
    variables: { stock: { columns: ['item', 'count'] } },
  });
});
