import type { Tools } from 'vivarium/executor';

const celsius = new Map<unknown, number>([
  ['axolotl', 17],
  ['chameleon', 27],
  ['day gecko', 29],
  ['leopard gecko', 32],
  ['poison frog', 24],
  ['tortoise', 30],
]);

/** What code may call by name. A tool has the page's rights, and what it is called with is the guest's: it is looked at first. */
export const tools: Tools = {
  temperature: {
    parameters: ['species'],
    call: ({ named: { species } }) => {
      const found = celsius.get(species);
      if (found === undefined) throw new Error('no animal here has this name');
      return found;
    },
  },
};
