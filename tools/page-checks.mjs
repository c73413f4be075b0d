// What any page must hold for people who use a screen reader or read in poor light: names, and contrast.

const roles = new Set([
  'button',
  'textbox',
  'searchbox',
  'combobox',
  'checkbox',
  'radio',
  'link',
  'tree',
  'treeitem',
  'grid',
  'meter',
  'log',
  'region',
  'Iframe',
]);

/**
 * What can be used on a page, by its roles and names as the browser tells them.
 * @param {import('playwright').Page} page
 * @returns {Promise<{ role: string, name: string }[]>}
 */
export async function listControls(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  return nodes
    .filter(({ ignored, role }) => !ignored && roles.has(String(role?.value)))
    .map(({ role, name }) => ({ role: String(role?.value), name: String(name?.value ?? '').trim() }));
}

/**
 * Text of too little contrast with what lies behind it, by the colours that the browser computed (WCAG 2.2, 1.4.3).
 * @param {import('playwright').Page} page
 * @returns {Promise<string[]>}
 */
export function findPaleText(page) {
  return page.evaluate(() => {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    /** @typedef {[number, number, number, number]} Colour */
    /** @param {string} css @returns {Colour} */
    const toColour = (css) => {
      if (!context) throw new Error('no canvas');
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = css;
      context.fillRect(0, 0, 1, 1);
      const [red = 0, green = 0, blue = 0, alpha = 0] = context.getImageData(0, 0, 1, 1).data;
      return [red, green, blue, alpha / 255];
    };
    /** @param {Colour} top @param {Colour} below @returns {Colour} */
    const over = (top, below) => {
      /** @param {0 | 1 | 2} at */
      const mix = (at) => top[at] * top[3] + below[at] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    /** @param {Colour} colour */
    const light = ([red, green, blue]) => {
      /** @param {number} value */
      const linear = (value) =>
        value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    /** @param {Element} element @returns {Element | null} */
    const parentOf = (element) =>
      element.parentElement ?? /** @type {ShadowRoot} */ (element.getRootNode()).host ?? null;
    /** @param {Element | null} element @returns {Colour} */
    const behind = (element) => {
      if (!element) return toColour('Canvas');
      const own = toColour(getComputedStyle(element).backgroundColor);
      return own[3] === 1 ? own : over(own, behind(parentOf(element)));
    };
    /** @param {ParentNode} root @returns {Element[]} */
    const all = (root) =>
      [...root.querySelectorAll('*')].flatMap((element) => [
        element,
        ...(element.shadowRoot ? all(element.shadowRoot) : []),
      ]);
    /** @param {Element} element */
    const hasText = (element) =>
      [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim());
    return all(document.body)
      .filter((element) => hasText(element) && !element.closest('svg, :disabled, style, script'))
      .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
      .flatMap((element) => {
        const { color, fontSize, fontWeight } = getComputedStyle(element);
        const back = behind(element);
        const lights = [light(over(toColour(color), back)), light(back)].toSorted(
          (one, other) => other - one,
        );
        const ratio = ((lights[0] ?? 0) + 0.05) / ((lights[1] ?? 0) + 0.05);
        const isLarge =
          parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
        const text = element.textContent?.trim().slice(0, 30) ?? '';
        return ratio >= (isLarge ? 3 : 4.5) ? [] : [`${ratio.toFixed(2)} ${element.localName} “${text}”`];
      });
  });
}
