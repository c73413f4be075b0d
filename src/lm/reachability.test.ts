import { afterEach, expect, test, vi } from 'vitest';
import { diagnoseUnreachable } from './reachability.ts';

afterEach(() => vi.unstubAllGlobals());

test.each(['', 'localhost:11434/v1', 'data:,x', 'http://', '/v1'])(
  'what is no address is an answer too, never a failure: %s',
  async (url) => {
    vi.stubGlobal('location', new URL('https://page.example'));
    vi.stubGlobal('isSecureContext', true);
    expect(await diagnoseUnreachable(url)).toMatchObject({ code: 'lm/network', reason: 'no-answer' });
  },
);
