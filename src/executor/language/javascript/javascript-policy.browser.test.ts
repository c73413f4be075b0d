import { expect, test } from 'vitest';
import { createExecutor } from '../../create-executor.ts';

test.each(['javascript', 'typescript'] as const)(
  'in %s a denied global is found in the text',
  async (language) => {
    await using executor = createExecutor({
      language,
      assets: { baseUrl: '/sandbox/' },
      frame: 'srcdoc',
      policy: { deniedGlobals: ['eval', 'Function'] },
    });
    const denied = {
      type: 'denied',
      permission: 'global',
      rule: 'deniedGlobals["eval"]',
      name: 'eval',
      stdout: '',
    };
    expect(await executor.execute('console.log(1);\nconst x = eval("1");')).toMatchObject({
      ...denied,
      line: 2,
      column: 11,
    });
    expect(await executor.execute('globalThis.eval("1")')).toMatchObject({ ...denied, line: 1 });
    expect(await executor.execute('({ eval: 2 }).eval')).toMatchObject({ value: 2 });
  },
);
