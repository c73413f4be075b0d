/** The one view of the page, replaced as a whole, so that what is drawn is always one moment. */
import type { NoticeLevel } from '../../elements/index.ts';
import { toNotice } from './next-step.ts';
import type { NoticeAction, PageNotice, PlaygroundView } from './view.ts';
import { emptyView } from './view.ts';

/** Notices kept at most; the oldest goes first. */
const maxNotices = 4;

/** Holds the view and tells its listener of each change. */
export class ViewState {
  #current: PlaygroundView = emptyView;
  readonly #listener: (view: PlaygroundView) => void;

  constructor(listener: (view: PlaygroundView) => void) {
    this.#listener = listener;
  }

  get current(): PlaygroundView {
    return this.#current;
  }

  update(change: Partial<PlaygroundView>): void {
    this.#current = { ...this.#current, ...change };
    this.#listener(this.#current);
  }

  /** Removes an optional part of the view. */
  clear(...names: readonly ('tableError' | 'numbers' | 'scatter')[]): void {
    const next: { -readonly [K in keyof PlaygroundView]: PlaygroundView[K] } = { ...this.#current };
    for (const name of names) delete next[name];
    this.#current = next;
    this.#listener(next);
  }

  /** Shows what was thrown at the top of the page. The same `id` replaces itself. */
  notify(id: string, thrown: unknown, level: NoticeLevel = 'error', action?: NoticeAction): void {
    this.#show({ id, level, notice: toNotice(thrown), ...(action ? { action } : {}) });
  }

  /** Shows a sentence at the top of the page. */
  say(id: string, message: string, level: NoticeLevel = 'info'): void {
    this.#show({ id, level, notice: { message } });
  }

  #show(notice: PageNotice): void {
    const { notices } = this.#current;
    const isShown = notices.some(({ id }) => id === notice.id);
    // one that is said again stays in its place: moving it would take the focus off its buttons
    const next = isShown
      ? notices.map((shown) => (shown.id === notice.id ? notice : shown))
      : [...notices, notice].slice(-maxNotices);
    this.update({ notices: next });
  }

  dismiss(id: string): void {
    const { notices } = this.#current;
    if (notices.some((notice) => notice.id === id))
      this.update({ notices: notices.filter((notice) => notice.id !== id) });
  }
}
