/** Hot swap on save: what the Vite plugin adds to a worker's entry, in development alone. */
import { systemClock } from '../../platform/index.ts';
import { servedScope } from '../worker/serve.ts';
import { UpdateWatch } from './update-watch.ts';

/** What `import.meta.hot` gives, as far as it is used here. */
export interface HotContext {
  on(event: string, listener: (payload: HotPayload) => void): void;
}

/** What Vite says of an update, or of an error in one. */
export interface HotPayload {
  readonly updates?: readonly { readonly path: string }[];
  readonly err?: { readonly message?: string; readonly id?: string };
}

/** One for the worker: the listeners of an entry are gone as soon as it is evaluated anew. */
const entryWatch = new UpdateWatch({ clock: systemClock, served: servedScope });

/**
 * Tells the page of edits that could not be taken. Those that can be evaluate the entry anew, and its call of `serve` exchanges what is
 * served. The plugin of `vivarium/vite` adds the call of it to entries that call `serve`, before all that they do: an entry that throws
 * has listeners, too.
 * @param entryUrl the entry's own `import.meta.url`
 */
export function acceptUpdates(hot: HotContext, entryUrl: string): void {
  listenForUpdates(hot, entryUrl, entryWatch);
}

/** As {@link acceptUpdates}, with a watch of one's own. */
export function listenForUpdates(hot: HotContext, entryUrl: string, watch: UpdateWatch): void {
  const { pathname } = new URL(entryUrl);
  hot.on('vite:beforeUpdate', ({ updates = [] }) =>
    watch.begin(updates.some(({ path }) => pathname.endsWith(path.split('?')[0] ?? path))),
  );
  hot.on('vite:afterUpdate', () => watch.end());
  hot.on('vite:error', ({ err: { message = 'the edited code could not be read', id } = {} }) =>
    watch.explain(message, id),
  );
}
