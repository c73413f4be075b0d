/**
 * Takes out of a guest's HTML what would reach outside without a script: the frame's own rules do not stop hints for connections, and a link that is
 * clicked. It makes nothing safe by itself: that is the frame's part.
 */

/** Elements that load, lead away, or hide a second tree. */
const refused: ReadonlySet<string> = new Set(
  'base embed fencedframe form frame frameset iframe link meta noscript object param portal script template'.split(
    ' ',
  ),
);
/** Attributes with an address, wherever they stand; `xlink:href` is called `href` here. */
const addressed: ReadonlySet<string> = new Set(
  'action archive attributionsrc background cite classid codebase data formaction href longdesc manifest ping poster profile src srcdoc srcset target'.split(
    ' ',
  ),
);
/** A text that changes again and again when it is read and written is not HTML that anybody means. */
const maxRounds = 4;

/** A place in the same text, or bytes that stand in it. */
const isOwn = (address: string): boolean => /^\s*(?:#|data:image\/)/iu.test(address);

function clean(body: HTMLElement): void {
  for (const element of body.querySelectorAll('*')) {
    if (refused.has(element.localName.toLowerCase())) {
      element.remove();
      continue;
    }
    for (const { name, localName, value } of element.attributes) {
      const isAddress = addressed.has(localName.toLowerCase()) && !isOwn(value);
      if (isAddress || /^on/iu.test(localName)) element.removeAttribute(name);
    }
  }
}

/** `undefined` for what does not come to rest. Works on a document that nobody shows: nothing is loaded. */
export function cleanHtml(html: string): string | undefined {
  let text = html;
  for (let round = 0; round < maxRounds; round += 1) {
    const { body, head } = new DOMParser().parseFromString(text, 'text/html');
    // style sheets at the beginning are read into the head
    body.prepend(...head.querySelectorAll('style'));
    clean(body);
    const next = body.innerHTML;
    if (next === text) return text;
    text = next;
  }
  return undefined;
}
