/** The next task: later than everybody who waits for what has just ended. */

/** Runs `callback` in a task of its own, soon. Unlike a timer it is not held back in hidden pages. Order is kept. */
export function runInNextTask(callback: () => void): void {
  // one for each: an open channel would keep a Node process alive
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(undefined);
}
