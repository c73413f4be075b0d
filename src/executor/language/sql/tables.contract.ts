/** What every language that is made of tables does with those of the page. */
import { expect, test } from 'vitest';
import { createExecutor } from '../../create-executor.ts';
import type { ExecutorOptions } from '../../create-executor.ts';

export function testTables(place: ExecutorOptions): void {
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
}
