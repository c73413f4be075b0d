/** The frame that shows a guest's rich value: it runs no script and loads nothing. */
import type { DisplayType, DisplayValue } from '../display.ts';
import { cleanHtml } from './clean-html.ts';
import type { RenderOptions } from './render-html.ts';

/** Nothing but styles and pictures that stand in the text itself. */
const rules =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'";
const styles =
  ':root{color-scheme:light dark}body{margin:8px;font:14px/1.4 system-ui,sans-serif;overflow-wrap:break-word}' +
  'table{border-collapse:collapse}th,td{padding:2px 8px;text-align:start;border-bottom:1px solid #8884}' +
  'img,svg{max-width:100%}pre{white-space:pre-wrap;margin:0}';

const escapeText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const preformatted = (text: string): string => `<pre>${escapeText(text)}</pre>`;
/** A picture runs no scripts and loads nothing, an SVG neither. */
const picture = (type: DisplayType, data: string): string =>
  `<img alt="" src="data:${type};base64,${escapeText(data)}">`;
const vector = (svg: string): string =>
  `<img alt="" src="data:image/svg+xml,${encodeURIComponent(svg.replaceAll(/\p{Surrogate}/gu, '\ufffd'))}">`;

/** The richest form first. */
const forms: readonly (readonly [DisplayType, (content: string) => string | undefined])[] = [
  ['text/html', cleanHtml],
  ['image/svg+xml', vector],
  ['image/png', (data) => picture('image/png', data)],
  ['image/jpeg', (data) => picture('image/jpeg', data)],
  ['text/plain', preformatted],
  ['text/markdown', preformatted],
  ['application/json', preformatted],
  ['application/vnd.dataresource+json', preformatted],
];

function bodyOf(value: DisplayValue): string {
  for (const [type, write] of forms) {
    const content = value[type];
    const body = typeof content === 'string' ? write(content) : undefined;
    if (body !== undefined) return body;
  }
  return '';
}

/** The whole document, its rules before anything of the guest's. */
export function documentOf(body: string): string {
  return (
    `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${rules}">` +
    `<meta http-equiv="x-dns-prefetch-control" content="off"><meta name="referrer" content="no-referrer">` +
    `<style>${styles}</style>${body}`
  );
}

/** A box of a bounded height that can be dragged, and the frame in it. */
export function createRichFrame(value: DisplayValue, options: RenderOptions = {}): HTMLElement {
  const { title = 'output', heightPx = 240 } = options;
  const frame = document.createElement('iframe');
  // an empty value: everything is forbidden that a frame can be forbidden
  frame.setAttribute('sandbox', '');
  frame.setAttribute('credentialless', '');
  frame.referrerPolicy = 'no-referrer';
  frame.title = title;
  frame.srcdoc = documentOf(bodyOf(value));
  Object.assign(frame.style, { display: 'block', border: '0', width: '100%', height: '100%' });
  const box = document.createElement('div');
  Object.assign(box.style, {
    boxSizing: 'border-box',
    width: '100%',
    height: `${Math.max(0, Math.min(heightPx, 10_000)) || 240}px`,
    minHeight: '2rem',
    maxHeight: '80vh',
    overflow: 'hidden',
    resize: 'vertical',
  });
  box.append(frame);
  return box;
}
