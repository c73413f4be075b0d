import { expect, test } from 'vitest';
import { createExecutor } from '../../create-executor.ts';
import type { Executor, Session } from '../../executor.ts';
import type { GuestValue } from '../../guest-value.ts';
import { describeExecutor, describeExecutorLimits } from '../../laws/executor.contract.ts';
import type { OpenExecutor } from '../../laws/executor.contract.ts';
import type { Outcome } from '../../outcome.ts';
import { sqlSpelling } from './sql-spelling.contract.ts';

const place = { language: 'sql', assets: { baseUrl: '/sandbox/' }, frame: 'srcdoc' } as const;

interface Result {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly GuestValue[])[];
}

/** One cell as itself, one column as a list: what the laws mean by the value of a program. */
function unwrap(outcome: Outcome): Outcome {
  if (outcome.type !== 'returned' || outcome.value === null) return outcome;
  const { columns, rows } = outcome.value as unknown as Result;
  if (columns.length !== 1) return outcome;
  const cells = rows.map(([cell]) => cell as GuestValue);
  return { ...outcome, value: cells.length === 1 ? (cells[0] as GuestValue) : cells };
}

function unwrapped(session: Session): Session {
  const execute: Executor['execute'] = async (...given) => unwrap(await session.execute(...given));
  // its own `id` changes
  return new Proxy(session, {
    get(target, name) {
      if (name === 'execute') return execute;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

const open: OpenExecutor = (options = {}) => {
  const executor = createExecutor({ ...place, ...options });
  return {
    language: executor.language,
    capabilities: executor.capabilities,
    execute: async (...given) => unwrap(await executor.execute(...given)),
    createSession: async () => unwrapped(await executor.createSession()),
    [Symbol.asyncDispose]: () => executor[Symbol.asyncDispose](),
  };
};

describeExecutor('SQL', open, sqlSpelling);
describeExecutorLimits('SQL', open, sqlSpelling);

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
