// What is stored: values that say which operation wrote them, and that betray a single wrong character.
import { hashOf } from './random.mjs';

const sizes = /** @type {const} */ ({ small: 60, medium: 1000, large: 20_000, huge: 200_000 });
const sizeWeights = { small: 60, medium: 30, large: 9, huge: 1 };

/** @param {string} op @param {import('./random.mjs').SeededRandom} random */
export function makeValue(op, random) {
  const size = sizes[/** @type {keyof typeof sizes} */ (random.weighted(sizeWeights))];
  const part = random.next().toString(36).slice(2) || '0';
  const body = part.repeat(Math.ceil(size / part.length)).slice(0, size);
  return { op, body, sum: hashOf(`${op} ${body}`) };
}

/** @param {any} value */
export function isIntact(value) {
  return value?.sum === hashOf(`${value?.op} ${value?.body}`);
}
