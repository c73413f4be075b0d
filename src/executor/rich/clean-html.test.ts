import { expect, test } from 'vitest';
import { cleanHtml } from './clean-html.ts';

test.each([
  '<table border="1" class="dataframe"><tbody><tr><td style="color: red">1 &lt; 2</td></tr></tbody></table>',
  '<style>p > b{color:red}</style><p>x</p>',
  '<img alt="x" src="data:image/png;base64,AA==">',
  '<svg viewbox="0 0 9 9"><defs><path id="m" d="M0 0"></path></defs><use xlink:href="#m"></use></svg>',
  '<svg><image href="data:image/png;base64,AA=="></image></svg>',
  '<details><summary>more</summary><ul><li>a</li><li>b</li></ul></details>',
  '<div title="a &lt; &quot;b&quot;" data-x="é" hidden>&amp;</div>',
])('%s stays as it is', (html) => {
  expect(cleanHtml(html)).toBe(html);
});

test.each<[what: string, html: string, cleaned: string]>([
  ['a link', '<a href="http://x" ping="http://y">a</a>', '<a>a</a>'],
  ['a link to the page itself', '<a href="#p">b</a><area href="#p">', '<a>b</a>'],
  ['a link to a picture', '<a href="data:image/svg+xml,<svg>">b</a>', '<a>b</a>'],
  [
    'a link in SVG',
    '<svg><a xlink:href="http://x"><text>t</text></a></svg>',
    '<svg><a><text>t</text></a></svg>',
  ],
  ['a link in MathML', '<math><mi href="#x">t</mi></math>', '<math><mi>t</mi></math>'],
  [
    'an address that comes later',
    '<svg><a><set attributeName="href" to="http://x"/><animate/>t</a></svg>',
    '<svg><a>t</a></svg>',
  ],
  ['an address in other words', '<img src="&#104;ttp://x"><img src=" java&Tab;script:x">', '<img><img>'],
  [
    'a picture from elsewhere in SVG',
    '<svg><image href="#x"/><use href="data:image/svg+xml,x"/></svg>',
    '<svg><image></image><use></use></svg>',
  ],
  ['a handler', '<p onclick="x" ONFOCUS=y>y</p>', '<p>y</p>'],
  [
    'what leads or loads',
    '<form action="x"><base href="x"><p>y</p></form><link href=x><meta content=x>',
    '<p>y</p>',
  ],
  ['what is not seen', '<script>a<b></script><template><p></template><iframe><p></iframe>x', 'x'],
  ['comments and declarations', '<!doctype html><!-- <b> --><?x <b>?><![CDATA[<b>]]>x', '?&gt;]]&gt;x'],
  [
    'end tags that are left out',
    '<ul><li>a<li>b</ul><table><tr><td>1<td>2<tr><td>3</table>',
    '<ul><li>a</li><li>b</li></ul><table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>',
  ],
  ['end tags alone', '</p></b>x</svg>', 'x'],
  ['a mark that begins nothing', 'a < b <3 <\u0130>', 'a &lt; b &lt;3 &lt;\u0130&gt;'],
  ['a text in a tag that never ends', 'x<p title="y><a href=z>', 'x'],
  ['attributes that are twice', '<p id=a ID=b/c>x', '<p id="a">x</p>'],
  ['a mark in an attribute', `<p title='"><a href=x>'>x</p>`, '<p title="&quot;&gt;&lt;a href=x&gt;">x</p>'],
  ['styles with marks', '<svg><style><a href=x></style>', '<svg><style>a href=x></style></svg>'],
  ['nothing between', '<sc\0ript>x</sc\0ript>y', 'y'],
])('%s', (_what, html, cleaned) => {
  expect(cleanHtml(html)).toBe(cleaned);
});

test('what would be read again and again is not shown as HTML', () => {
  const many = Array.from({ length: 8000 }, (_none, index) => `<b id=${index}>`).join('');
  expect(cleanHtml(`<p>${many}${'<div>x</div>'.repeat(8000)}`)).toBe(undefined);
  expect(cleanHtml('<p>'.repeat(400_000))).toBe(undefined);
  expect(cleanHtml(' '.repeat(2 ** 21 + 1))).toBe(undefined);
  // as long as it may be, and as little in the way
  expect(cleanHtml(' '.repeat(2 ** 21))).toHaveLength(2 ** 21);
  expect(cleanHtml('<tr><td><b>x</b></td></tr>'.repeat(50_000))).toHaveLength(26 * 50_000);
});

test('what is nested without end ends', () => {
  const cleaned = cleanHtml('<div>'.repeat(200_000)) ?? '';
  expect(cleaned).toBe('<div>'.repeat(128) + '</div>'.repeat(128));
});

test.each([
  '<a b="',
  '<a ',
  '<p a a= ',
  '</style ',
  '<style></style',
  '<style>',
  '<script>',
  '<!--',
  '<!',
  '<p \n\n\n/',
  '= ',
  '<b></b',
  '<p>',
  '</p>',
])('%j without end is read once', (part) => {
  const timeOf = (length: number): number => {
    const text = part.repeat(Math.floor(length / part.length));
    return Math.min(
      ...[1, 2].map(() => {
        const startMs = performance.now();
        cleanHtml(text);
        return performance.now() - startMs;
      }),
    );
  };
  // sixteen times as long: what grows with the square takes 256 times as long
  expect(timeOf(2 ** 20)).toBeLessThan(64 * Math.max(timeOf(2 ** 16), 4));
});
