import { createExecutor, createTrustDomain, resolvePolicy } from 'vivarium/executor';
import type { Session } from 'vivarium/executor';
import type { Language } from './languages.ts';

/** What the code may be given; what is not named here is denied. */
export const policy = resolvePolicy({
  files: ['animals.csv'],
  tools: ['temperature'],
  environment: [],
  packages: [],
});

// the plugin in vite.config.ts serves and builds these files
const sandbox = `${import.meta.env.BASE_URL}sandbox/`;

/** One frame for all languages: whoever writes here writes all the programs. It lives as long as the page. */
const domain = createTrustDomain({ assets: { baseUrl: sandbox }, frame: { url: `${sandbox}frame.html` } });
const sessions = new Map<Language, Promise<Session>>();

/** The language's session, which keeps what programs leave from run to run; its interpreter starts with the first call. */
export function openSession(language: Language): Promise<Session> {
  const open = sessions.get(language);
  if (open) return open;
  const session = createExecutor({ language, domain, policy }).createSession();
  sessions.set(language, session);
  // one that did not start may be tried again
  session.catch(() => sessions.delete(language));
  return session;
}
