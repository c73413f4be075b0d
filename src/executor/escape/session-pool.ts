/** Sessions that attempts lend to each other: an interpreter of Python takes longer to start than most attempts last. */
import type { Session } from '../executor.ts';
import type { EscapeLanguage, EscapeRealm } from './attempt.ts';

export class SessionPool implements AsyncDisposable {
  readonly #realm: EscapeRealm;
  readonly #idle = new Map<EscapeLanguage, Session[]>();
  readonly #all: Session[] = [];

  constructor(realm: EscapeRealm) {
    this.#realm = realm;
  }

  async borrow<T>(language: EscapeLanguage, use: (session: Session) => Promise<T>): Promise<T> {
    const session = this.#idle.get(language)?.pop() ?? (await this.#open(language));
    try {
      return await use(session);
    } finally {
      this.#idle.set(language, [...(this.#idle.get(language) ?? []), session]);
    }
  }

  async #open(language: EscapeLanguage): Promise<Session> {
    const session = await this.#realm.executors[language].createSession();
    this.#all.push(session);
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((session) => session[Symbol.asyncDispose]()));
  }
}
