import { answerHop } from './run-hop-test.ts';
import type { HopRequest } from './run-hop-test.ts';

addEventListener('message', (event: MessageEvent<HopRequest>) => {
  void answerHop(event.data).then((reply) => postMessage(reply));
});
