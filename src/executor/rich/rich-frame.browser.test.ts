import { afterEach, expect, inject, test } from 'vitest';
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

test('what leads away is taken out, what is seen stays', () => {
  const table = '<table><tbody><tr><td style="color: red">1 &lt; 2</td></tr></tbody></table>';
  expect(cleanHtml(table)).toBe(table);
  expect(cleanHtml('<style>p{color:red}</style><p>x</p>')).toBe('<style>p{color:red}</style><p>x</p>');
  expect(cleanHtml('<a href="http://x" ping="http://y">a</a><a href="#p">b</a>')).toBe(
    '<a>a</a><a href="#p">b</a>',
  );
  expect(cleanHtml('<svg><a xlink:href="http://x"><text>t</text></a></svg>')).toBe(
    '<svg><a><text>t</text></a></svg>',
  );
  expect(cleanHtml('<form action="x"><input></form><base href="x"><p onclick="x">y</p>')).toBe('<p>y</p>');
  expect(cleanHtml('<img src="data:image/png;base64,AA==">')).toBe('<img src="data:image/png;base64,AA==">');
  // read and written again it would be another text
  const shifting = '<svg></p><style><a id="</style><link rel=preconnect href=http://x>">';
  expect(cleanHtml(shifting) ?? '').not.toMatch(/link|href/u);
  expect(cleanHtml(`${'<div>'.repeat(2000)}<link href="http://x">`) ?? '').not.toContain('link');
});
