import { expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { sharedControls } from '../../elements/index.ts';

/** Every `selector { property: value }` of plain rules; what stands in an at-rule is another rule. */
function declarationsOf(css: string): Set<string> {
  const plain = css
    .replaceAll(/\/\*[\s\S]*?\*\//gu, '')
    .replaceAll(/@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}/gu, '');
  const found = new Set<string>();
  for (const [, selectors = '', body = ''] of plain.matchAll(/([^{}]+)\{([^{}]*)\}/gu))
    for (const selector of selectors.split(','))
      for (const declaration of body.split(';').filter((part) => part.trim() !== ''))
        found.add(`${selector} { ${declaration} }`.replaceAll(/\s+/gu, ' ').trim());
  return found;
}

test('the page repeats nothing that the shared controls say', () => {
  const page = declarationsOf(readFileSync(new URL('./playground.css', import.meta.url), 'utf8'));
  const shared = declarationsOf(sharedControls.cssText);
  expect(page.size).toBeGreaterThan(50);
  expect(shared.size).toBeGreaterThan(50);
  expect([...page].filter((declaration) => shared.has(declaration))).toEqual([]);
});
