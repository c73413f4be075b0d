/** Where the page keeps what is its own, beside the state of its module. */
import type { Key } from '../../state/index.ts';

/** Everything of the page, as one prefix. */
export const pagePrefix: Key = ['playground'];
export const lastRunKey: Key = [...pagePrefix, 'last-run'];
export const modelChoiceKey: Key = [...pagePrefix, 'model-choice'];
export const sourceKey: Key = [...pagePrefix, 'source'];
