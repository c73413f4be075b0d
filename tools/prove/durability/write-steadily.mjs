// One commit after another at one level, for a look at what the operating system is asked.
import { openNamedStore } from './stores.mjs';

/** @param {import('./line.mjs').Line} line @param {string} kind of store */
export async function writeSteadily(line, kind) {
  const store = await openNamedStore(kind, 'flushes');
  let count = 0;
  const write = async ({ level, commits }) => {
    for (let at = 0; at < commits; at++)
      await store.commit([{ type: 'put', key: ['k', String(count++ % 10)], value: 'x'.repeat(1000) }], {
        durability: level,
      });
  };
  line.onmessage = (asked) => {
    void write(asked).then(
      () => line.send({}),
      (error) => line.send({ error: String(error) }),
    );
  };
  line.send({ type: 'hello' });
}
