import { answerHop } from './run-hop-test.ts';
import type { HopReply, HopRequest } from './run-hop-test.ts';
import { describeHop } from './run-hop.contract.ts';

describeHop('a message channel', () => {
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = (event: MessageEvent<HopRequest>) => {
    void answerHop(event.data).then((reply) => port2.postMessage(reply));
  };
  return {
    post: (request) => port1.postMessage(request),
    onReply: (listener) => {
      port1.onmessage = (event: MessageEvent<HopReply>) => listener(event.data);
    },
    close: () => {
      port1.close();
      port2.close();
    },
  };
});
