/** Makes the frame: a document of opaque origin that may connect to nothing, in which guests' workers live. */
import { CodedError } from '../../base/index.ts';
import { randomHex, systemRandom } from '../../platform/index.ts';
import type { FrameConnect } from './protocol.ts';
import { inlineFrameRules } from './sandbox-headers.ts';

/**
 * `srcdoc`: written into the page, for hosts that cannot set headers; a page with a strict `script-src` of its own forbids it.
 * `url`: the address of `frame.html`, served with `frameHeaders`; for every page that sets headers.
 */
export type FrameKind = 'srcdoc' | { readonly url: string };

/** An element in the page and the only port into it. */
export interface Frame {
  readonly port: MessagePort;
  /** Takes the element away. */
  remove(): void;
  /** Calls `listener` once when somebody else took it away. */
  onRemove(listener: () => void): void;
}

function toFrame(element: HTMLIFrameElement, port: MessagePort): Frame {
  let observer: MutationObserver | undefined;
  return {
    port,
    remove() {
      observer?.disconnect();
      element.remove();
    },
    onRemove(listener) {
      observer = new MutationObserver(() => {
        if (element.isConnected) return;
        observer?.disconnect();
        listener();
      });
      observer.observe(document.documentElement, { childList: true });
    },
  };
}

/** The whole document, with its rules before its script. */
function inlineDocument(script: string): string {
  const nonce = randomHex(systemRandom, 16);
  const safe = script.replaceAll('</script', String.raw`<\/script`);
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${inlineFrameRules(nonce)}"><script nonce="${nonce}">${safe}</script>`;
}

/** In the page's own layout, seen by nobody: a browser gives the process of a frame that is not laid out less of the machine. */
const shownStyle = {
  all: 'initial',
  position: 'fixed',
  top: '0',
  left: '0',
  width: '1px',
  height: '1px',
  border: '0',
  opacity: '0',
  pointerEvents: 'none',
} as const;

function createElement(): HTMLIFrameElement {
  const element = document.createElement('iframe');
  element.sandbox.add('allow-scripts');
  // lets the frame share memory with its own workers, which the interrupt needs
  element.allow = 'cross-origin-isolated';
  Object.assign(element.style, shownStyle);
  element.inert = true;
  element.tabIndex = -1;
  element.title = 'sandbox';
  element.setAttribute('aria-hidden', 'true');
  return element;
}

function loaded(element: HTMLIFrameElement, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    element.addEventListener('load', () => resolve(), { once: true });
    document.documentElement.append(element);
  });
}

/**
 * Puts a frame into the page and hands it its port. Rejects with the signal's reason, or with `executor/frame-unavailable` where there is
 * no document (a worker, Node). A frame that the browser blocked still "loads": it is found out by its silence.
 */
export async function createFrame(
  kind: FrameKind,
  loadScript: () => Promise<string>,
  signal: AbortSignal,
): Promise<Frame> {
  if (typeof document === 'undefined') {
    throw new CodedError('executor/frame-unavailable', 'a sandbox needs a page: there is no document here');
  }
  const element = createElement();
  if (kind === 'srcdoc') element.srcdoc = inlineDocument(await loadScript());
  else element.src = new URL(kind.url, document.baseURI).href;
  try {
    await loaded(element, signal);
    const { port1, port2 } = new MessageChannel();
    const connect: FrameConnect = { type: 'frame-connect' };
    // an opaque origin has no name to aim at; the window is ours and cannot navigate under our rules
    element.contentWindow?.postMessage(connect, '*', [port2]);
    return toFrame(element, port1);
  } catch (error) {
    element.remove();
    throw error;
  }
}
