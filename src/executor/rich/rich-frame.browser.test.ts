import fc from 'fast-check';
import { afterEach, expect, inject, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { DisplayValue } from '../display.ts';
import { cleanHtml } from './clean-html.ts';
import { renderHtml } from './render-html.ts';
import { documentOf } from './rich-frame.ts';

const listener = inject('listenerUrl');
const boxes: Element[] = [];
afterEach(() => {
  for (const box of boxes.splice(0)) box.remove();
});

const hitsOf = async (token: string): Promise<number> =>
  Number(await (await fetch(`${listener}/hits/${token}`)).text());

/** In the page, and loaded. */
async function show(box: Element): Promise<HTMLIFrameElement> {
  const frame = (box instanceof HTMLIFrameElement ? box : box.querySelector('iframe')) as HTMLIFrameElement;
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
  boxes.push(box);
  document.body.append(box);
  await loaded;
  return frame;
}

/** The same document in a frame that nothing is forbidden: what the probe does there, it can do. */
function openFrame(html: string): HTMLIFrameElement {
  const frame = document.createElement('iframe');
  frame.srcdoc = html;
  return frame;
}

let count = 0;
const newToken = (): string => `render-${Date.now()}-${(count += 1)}`;

/** What reaches the listener, from nothing but HTML. */
const probes: readonly (readonly [name: string, html: (url: string) => string])[] = [
  ['a picture', (url) => `<img src="${url}">`],
  ['a picture of many sizes', (url) => `<img srcset="${url} 1x">`],
  ['a style sheet', (url) => `<link rel="stylesheet" href="${url}">`],
  ['an imported style', (url) => `<style>@import "${url}";</style>`],
  ['a background', (url) => `<div style="background:url(${url})">x</div>`],
  ['a font', (url) => `<style>@font-face{font-family:f;src:url(${url})}p{font-family:f}</style><p>x</p>`],
  ['a script', (url) => `<script src="${url}"></script>`],
  ['a script in the text', (url) => `<script>new Image().src = "${url}"</script>`],
  ['a handler', (url) => `<img src="data:," onerror="new Image().src = '${url}'">`],
  ['a handler of SVG', (url) => `<svg onload="new Image().src = '${url}'"></svg>`],
  ['a frame', (url) => `<iframe src="${url}"></iframe>`],
  ['an object', (url) => `<object data="${url}"></object>`],
  ['an embedded file', (url) => `<embed src="${url}">`],
  ['a film', (url) => `<video src="${url}" autoplay></video>`],
  ['a poster', (url) => `<video poster="${url}"></video>`],
  ['a refresh', (url) => `<meta http-equiv="refresh" content="0;url=${url}">`],
  ['a picture in SVG', (url) => `<svg><image href="${url}" width="9" height="9"/></svg>`],
  ['a connection made ahead', (url) => `<link rel="preconnect" href="${url}">`],
  ['a file loaded ahead', (url) => `<link rel="preload" as="image" href="${url}">`],
  ['a page fetched ahead', (url) => `<link rel="prefetch" href="${url}">`],
  [
    'a tree in the shadow',
    (url) =>
      `<div><template shadowrootmode="open"><link rel="preload" as="image" href="${url}"></template></div>`,
  ],
  ['an input that is a picture', (url) => `<input type="image" src="${url}">`],
];

test('nothing of it reaches outside, and each probe does where it may', async () => {
  const aimed = probes.map(([name, html]) => {
    const [inside, control] = [newToken(), newToken()];
    return { name, html, inside, control };
  });
  await Promise.all(
    aimed.map(async ({ html, inside }) =>
      show(await renderHtml({ 'text/html': html(`${listener}/hit/${inside}`) })),
    ),
  );
  await Promise.all(aimed.map(({ html, control }) => show(openFrame(html(`${listener}/hit/${control}`)))));
  // a bare connection has no name, and a page fetched ahead waits until nothing else happens
  const silent = new Set(['a connection made ahead', 'a page fetched ahead']);
  for (const { name, control } of aimed) {
    if (silent.has(name)) continue;
    await expect
      .poll(() => hitsOf(control), { message: `control: ${name}`, timeout: 10_000 })
      .toBeGreaterThan(0);
  }
  const reached = await Promise.all(aimed.map(async ({ name, inside }) => [name, await hitsOf(inside)]));
  expect(reached).toEqual(aimed.map(({ name }) => [name, 0]));
}, 60_000);

/** What a click on the middle of the frame follows. */
const links: readonly (readonly [name: string, html: (url: string) => string])[] = [
  ['a link', (url) => `<a href="${url}" style="position:fixed;inset:0">x</a>`],
  [
    'a link in SVG',
    (url) =>
      `<svg style="position:fixed;inset:0;width:100%;height:100%"><a xlink:href="${url}"><rect width="100%" height="100%"/></a></svg>`,
  ],
  [
    'a link whose address comes later',
    (url) =>
      `<svg style="position:fixed;inset:0;width:100%;height:100%"><a><set attributeName="href" to="${url}"/><rect width="100%" height="100%"/></a></svg>`,
  ],
  [
    'a link to a picture that loads',
    (url) =>
      `<a style="position:fixed;inset:0" href="data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg"><image href="${url}" width="9" height="9"/></svg>`)}">x</a>`,
  ],
  [
    'an area of a picture',
    (url) =>
      `<img usemap="#m" style="position:fixed;inset:0;width:100%;height:100%" src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="><map name="m"><area shape="default" href="${url}"></map>`,
  ],
  [
    'a form',
    (url) =>
      `<form action="${url}"><button style="position:fixed;inset:0;width:100%;height:100%">x</button></form>`,
  ],
];

test.each(links)('%s that is clicked leads nowhere, and to its address where it may', async (_name, html) => {
  const [inside, control] = [newToken(), newToken()];
  const frame = await show(await renderHtml({ 'text/html': html(`${listener}/hit/${inside}`) }));
  let loads = 0;
  frame.addEventListener('load', () => void (loads += 1));
  await userEvent.click(frame);
  // the control comes after it: what a click leads to has had its time
  const open = await show(openFrame(html(`${listener}/hit/${control}`)));
  await userEvent.click(open);
  await expect.poll(() => hitsOf(control), { timeout: 10_000 }).toBeGreaterThan(0);
  expect([await hitsOf(inside), loads]).toEqual([0, 0]);
});

const tags =
  'a|svg|math|style|title|p|table|td|set|image|use|img|template|b|select|foreignobject|mtext|annotation-xml|desc';
const pieces =
  'href=|xlink:href="|src=|onload=|"|\'|>|<|/|=| |<!--|-->|<![CDATA[|]]>|http://x|#x|data:image/png,|&lt;|&quot;|\0|x';
const parts = fc.constantFrom(
  ...tags.split('|').flatMap((name) => [`<${name}>`, `</${name}>`, `<${name} `, `<${name}/>`]),
  ...pieces.split('|'),
);

test('however it is read, nothing with an address or a handler is in it', () => {
  const isKnown = ({ localName }: Element, { name, value }: Attr): boolean =>
    (name === 'src' && localName === 'img' && value.startsWith('data:image/')) ||
    (/^(?:xlink:)?href$/u.test(name) &&
      /^(?:use|image|img)$/u.test(localName) &&
      /^(?:#|data:image\/)/u.test(value));
  const isLoose = ({ name }: Attr): boolean => /href$|^src|^on/u.test(name);
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 24 }), (text) => {
      const { body, head } = new DOMParser().parseFromString(cleanHtml(text.join('')) ?? '', 'text/html');
      const elements = [...body.querySelectorAll('*'), ...head.querySelectorAll('*')];
      for (const element of elements) {
        expect(['script', 'set', 'template', 'select', 'title']).not.toContain(element.localName);
        expect([...element.attributes].filter((found) => isLoose(found) && !isKnown(element, found))).toEqual(
          [],
        );
      }
    }),
    { numRuns: 2000 },
  );
});

test('the frame alone, with nothing taken out, runs no script; the same document without it does', async () => {
  const attack = (token: string): string => {
    const url = `${listener}/hit/${token}`;
    return `<script>parent.postMessage("${token}", "*"); new Image().src = "${url}"</script><img src="${url}" onerror="parent.postMessage('${token}', '*')">`;
  };
  const heard: unknown[] = [];
  const hear = ({ data }: MessageEvent): void => void heard.push(data);
  window.addEventListener('message', hear);
  const [inside, ruled, control] = [newToken(), newToken(), newToken()];
  // written in behind its back
  const box = await renderHtml({ 'text/html': '' });
  (box.querySelector('iframe') as HTMLIFrameElement).srcdoc = documentOf(attack(inside));
  await show(box);
  // the rules alone hold, too
  await show(openFrame(documentOf(attack(ruled))));
  await show(openFrame(attack(control)));
  await expect.poll(() => heard).toContain(control);
  await expect.poll(() => hitsOf(control)).toBeGreaterThan(0);
  window.removeEventListener('message', hear);
  expect(heard.filter((token) => token !== control)).toEqual([]);
  expect([await hitsOf(inside), await hitsOf(ruled)]).toEqual([0, 0]);
});

test('its document cannot be reached, nor reach the page', async () => {
  const frame = await show(await renderHtml({ 'text/html': '<b>x</b>' }, { title: 'plot', heightPx: 300 }));
  expect(frame.contentDocument).toBe(null);
  expect(frame.getAttribute('sandbox')).toBe('');
  expect(frame.title).toBe('plot');
  expect(frame.getBoundingClientRect().height).toBe(300);
});

test.each<[string, DisplayValue, RegExp]>([
  ['HTML before text', { 'text/html': '<b>é</b>', 'text/plain': 'no' }, /<b>é<\/b>$/u],
  [
    'a picture',
    { 'image/png': 'iVBORw==', 'text/plain': 'no' },
    /<img alt="" src="data:image\/png;base64,iVBORw==">$/u,
  ],
  [
    'SVG as a picture',
    { 'image/svg+xml': '<svg onload="x"/>' },
    /src="data:image\/svg\+xml,%3Csvg%20onload%3D%22x%22%2F%3E">$/u,
  ],
  ['text as text', { 'text/plain': '<b> & "' }, /<pre>&lt;b> &amp; &quot;<\/pre>$/u],
  ['nothing', {}, /<\/style>$/u],
])('%s is shown', async (_name, value, expected) => {
  expect((await renderHtml(value)).querySelector('iframe')?.srcdoc).toMatch(expected);
});
