/** What reached the page's windows and channels. */
import { openBroadcast } from '../../platform/index.ts';

export class Inbox implements Disposable {
  #texts: string[] = [];
  readonly #release: () => void;

  constructor(channelName: string) {
    const keep = (data: unknown): void => {
      this.#texts.push(typeof data === 'string' ? data : (JSON.stringify(data) ?? ''));
    };
    const channel = openBroadcast(channelName, keep);
    const onMessage = (event: MessageEvent): void => keep(event.data);
    globalThis.addEventListener('message', onMessage);
    this.#release = () => {
      channel[Symbol.dispose]();
      globalThis.removeEventListener('message', onMessage);
    };
  }

  has(token: string): boolean {
    return this.#texts.some((text) => text.includes(token));
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}
