/** Hot swap on save: what the Vite plugin adds to a worker's entry, in development alone. */
import { systemClock } from '../../platform/index.ts';
import { servedScope } from '../worker/serve.ts';

/** Time for the news of what is wrong with an edit to come, after the news that it failed. */
const reasonMs = 500;

/** What `import.meta.hot` gives, as far as it is used here. */
export interface HotContext {
  on(event: string, listener: (payload: HotPayload) => void): void;
}

/** What Vite says of an update, or of an error in one. */
export interface HotPayload {
  readonly updates?: readonly { readonly path: string }[];
  readonly err?: { readonly message?: string; readonly id?: string };
}

/**
 * Tells the page of edits that could not be taken. Those that can be evaluate the entry anew, and its call of `serve` exchanges what is
 * served. The plugin of `vivarium/vite` adds the call of it to entries that call `serve`.
 * @param entryUrl the entry's own `import.meta.url`
 */
export function acceptUpdates(hot: HotContext, entryUrl: string): void {
  const { pathname } = new URL(entryUrl);
  let servings: number | undefined;
  let isTold = false;
  hot.on('vite:error', ({ err }) => {
    isTold = true;
    const { message = 'the edited code could not be read', id } = err ?? {};
    servedScope()?.catalog.reportFailure({ message, file: id });
  });
  hot.on('vite:beforeUpdate', ({ updates = [] }) => {
    const isOurs = updates.some(({ path }) => pathname.endsWith(path.split('?')[0] ?? path));
    servings = isOurs ? servedScope()?.servings : undefined;
    isTold = false;
  });
  const tellUnlessTold = (): void => {
    const scope = servedScope();
    // an entry that was evaluated anew has called `serve`
    if (!scope || isTold || servings === undefined || scope.servings > servings) return;
    isTold = true;
    const message =
      'the edited code could not be read, or threw while it was evaluated; the console says why';
    scope.catalog.reportFailure({ message });
  };
  // the server's own words are better, and come a moment later
  hot.on('vite:afterUpdate', () => void systemClock.after(reasonMs, tellUnlessTold));
}
