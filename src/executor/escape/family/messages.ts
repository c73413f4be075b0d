/** Ways to speak to the page, to its other windows, and to other tabs of its origin. */
import type { EscapeAttempt } from '../attempt.ts';
import { inJavaScript, inPython } from '../write-attempt.ts';
import type { Plan } from '../write-attempt.ts';

const plan = (id: string, mechanism: string, control: Plan['control']): Plan => ({
  id,
  mechanism,
  watcher: 'message',
  control,
});
const absent = (id: string, mechanism: string, body: string): EscapeAttempt =>
  inPython('messages', plan(id, mechanism, 'absent'), body);

export const messageAttempts: readonly EscapeAttempt[] = [
  inPython(
    'messages',
    plan('broadcast-channel', 'a channel on which every tab of the origin can listen', 'without walls'),
    'scope.BroadcastChannel.new("{channel}").postMessage("{token}")',
  ),
  inJavaScript(
    'messages',
    plan(
      'js-global-broadcast',
      'a channel of the global object that text made code leads to',
      'without walls',
    ),
    'const Channel = Function("return globalThis")().BroadcastChannel\nnew Channel("{channel}").postMessage("{token}")',
  ),
  absent('parent-post', 'a message to the window above', 'scope.parent.postMessage("{token}", "*")'),
  absent('top-post', 'a message to the topmost window', 'scope.top.postMessage("{token}", "*")'),
  absent(
    'opener-post',
    'a message to the window that opened the page',
    'scope.opener.postMessage("{token}", "*")',
  ),
  absent(
    'window-event',
    'an event that looks like a message',
    'scope.dispatchEvent(scope.MessageEvent.new("message", options(data="{token}")))',
  ),
];
