// Servers for tests in a browser: some that let pages in, some that do not, and one that is not there.
import { closedPort, startOpenAiServer } from './openai-server.mjs';
import { startPolicyPage } from './policy-page.mjs';

export async function setup(project) {
  const servers = {
    allow: await startOpenAiServer(),
    refuse: await startOpenAiServer({ cors: 'refuse' }),
    noPreflight: await startOpenAiServer({ cors: 'no-preflight' }),
    contract: await startOpenAiServer({ wordDelayMs: 1 }),
    withKey: await startOpenAiServer({ apiKey: 'browser-test-key' }),
  };
  const policyPage = await startPolicyPage();
  const urls = Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, server.baseUrl]));
  project.provide('openAiServers', { ...urls, closed: `${await closedPort()}/v1` });
  project.provide('policyPage', policyPage.url);
  return async () => {
    await Promise.all([policyPage, ...Object.values(servers)].map((server) => server.close()));
  };
}
