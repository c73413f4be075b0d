/** The bare platform that the benchmark stands beside: a worker that posts back what it gets. */
self.addEventListener('message', (event: MessageEvent) => self.postMessage(event.data));
