import { startOpenAiServer } from '../../tools/openai-server.mjs';
import { describeLanguageModel } from './language-model.contract.ts';
import type { LmRequest } from './message.ts';
import { openAiCompatible } from './provider/openai-compatible.ts';
import { scriptedLm } from './provider/scripted.ts';

const lastText = (request: LmRequest): string => request.messages.at(-1)?.content as string;

describeLanguageModel('scriptedLm', async () => ({
  echo: scriptedLm({ script: lastText }),
  silent: scriptedLm({ script: () => new Promise(() => undefined) }),
  close: async () => undefined,
}));

describeLanguageModel('openAiCompatible', async () => {
  const server = await startOpenAiServer({ wordDelayMs: 1 });
  const open = (model: string) => openAiCompatible({ baseUrl: server.baseUrl, model });
  return {
    echo: open('echo'),
    silent: open('stall'),
    openCalls: () => server.stats.open,
    close: () => server.close(),
  };
});
