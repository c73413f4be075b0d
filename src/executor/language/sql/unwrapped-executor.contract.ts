/** What the laws mean by the value of a program, for languages whose programs end with a table. */
import { createExecutor } from '../../create-executor.ts';
import type { ExecutorOptions } from '../../create-executor.ts';
import type { Executor, Session } from '../../executor.ts';
import type { GuestValue } from '../../guest-value.ts';
import type { OpenExecutor } from '../../laws/executor.contract.ts';
import type { Outcome } from '../../outcome.ts';

interface Result {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly GuestValue[])[];
}

/** One cell as itself, one column as a list: what the laws mean by the value of a program. */
function unwrap(outcome: Outcome): Outcome {
  if (outcome.type !== 'returned' || outcome.value === null) return outcome;
  // a program of tables returns nothing else; the laws fail where it did
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

/** Makes executors whose values are unwrapped so. */
export function openUnwrapped(place: ExecutorOptions): OpenExecutor {
  return (options = {}) => {
    const executor = createExecutor({
      ...place,
      ...options,
      limits: { ...place.limits, ...options.limits },
    });
    return {
      language: executor.language,
      capabilities: executor.capabilities,
      execute: async (...given) => unwrap(await executor.execute(...given)),
      createSession: async () => unwrapped(await executor.createSession()),
      [Symbol.asyncDispose]: () => executor[Symbol.asyncDispose](),
    };
  };
}
