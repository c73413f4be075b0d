// Servers for tests in a browser: some that let pages in, some that do not, and one that is not there.
import { closedPort, startOpenAiServer } from './openai-server.mjs';
import { startPolicyPage } from './policy-page.mjs';

/** Answers the program of the README from the sections of its prompt: what it says shows what it was asked. */
function answerReadme(messages) {
  const prompt = messages.at(-1).content;
  const [, question] = /\[\[ ## question ## \]\]\n(.*)\n/.exec(prompt) ?? [];
  const [, words] = /\[\[ ## max_words ## \]\]\n(.*)\n/.exec(prompt) ?? [];
  const answer = `In at most ${words} words: ${question}`;
  return `[[ ## reasoning ## ]]\nIt is asked.\n\n[[ ## answer ## ]]\n${answer}\n\n[[ ## completed ## ]]\n`;
}

export async function setup(project) {
  const servers = {
    allow: await startOpenAiServer(),
    refuse: await startOpenAiServer({ cors: 'refuse' }),
    noPreflight: await startOpenAiServer({ cors: 'no-preflight' }),
    contract: await startOpenAiServer({ wordDelayMs: 1 }),
    withKey: await startOpenAiServer({ apiKey: 'browser-test-key' }),
    readme: await startOpenAiServer({ respond: answerReadme }),
  };
  const policyPage = await startPolicyPage();
  const urls = Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, server.baseUrl]));
  project.provide('openAiServers', { ...urls, closed: `${await closedPort()}/v1` });
  project.provide('policyPage', policyPage.url);
  return async () => {
    await Promise.all([policyPage, ...Object.values(servers)].map((server) => server.close()));
  };
}
