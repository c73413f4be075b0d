import { inject } from 'vitest';
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
  const baseUrl = inject('openAiServers').contract;
  return {
    echo: openAiCompatible({ baseUrl, model: 'echo' }),
    silent: openAiCompatible({ baseUrl, model: 'stall' }),
    openCalls: async () => {
      const response = await fetch(new URL('/stats', baseUrl));
      return ((await response.json()) as { open: number }).open;
    },
    close: async () => undefined,
  };
});
