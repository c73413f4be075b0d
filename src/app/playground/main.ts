/** Entry of the playground's page. */
import { defineElements } from '../../elements/index.ts';
import { VivariumPlayground } from './playground.ts';
import { PlaygroundSession } from './session.ts';

// what does not arrive stays blank and the rest of the page works; a reload asks again
void defineElements().catch(() => undefined);
customElements.define(VivariumPlayground.tag, VivariumPlayground);

const page = document.querySelector<VivariumPlayground>(VivariumPlayground.tag);
if (page) {
  const copyId = new URLSearchParams(location.search).get('copy') ?? undefined;
  if (copyId !== undefined) document.title = `Copy · ${document.title}`;
  const session = new PlaygroundSession({
    onView: (view) => (page.view = view),
    onCopy: (id) => location.assign(`/?copy=${id}`),
    copyId,
  });
  page.commands = session;
  void session.open();
}
