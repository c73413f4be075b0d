import { describe, expect, test } from 'vitest';
import { tokens } from './tokens.ts';

type Theme = 'light' | 'dark';

const colours = new Map(
  [...tokens.cssText.matchAll(/--vivarium-([\w-]+):\s*light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/gu)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }] as const,
  ),
);

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string, theme: Theme): number {
  const [first, second] = [one, other].map((name) => {
    const colour = colours.get(name);
    if (!colour) throw new Error(`no token ${name}`);
    return luminance(colour[theme]);
  }) as [number, number];
  return (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
}

const themes: readonly Theme[] = ['light', 'dark'];
const texts = ['text', 'muted', 'accent', 'ok', 'warn', 'danger', 'info'];

describe.each(themes)('contrast of the %s theme', (theme) => {
  test.each(texts)('%s is readable on every surface', (name) => {
    for (const surface of ['ground', 'surface', 'inset']) {
      expect(contrast(name, surface, theme), `${name} on ${surface}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  test.each([
    ['on-accent', 'accent'],
    ['on-accent', 'accent-strong'],
    ['text', 'accent-soft'],
    ['warn', 'warn-soft'],
    ['danger', 'danger-soft'],
    ['info', 'info-soft'],
    ['text', 'danger-soft'],
    ['muted', 'warn-soft'],
    ['muted', 'danger-soft'],
  ])('%s is readable on %s', (one, other) => {
    expect(contrast(one, other, theme)).toBeGreaterThanOrEqual(4.5);
  });

  test.each([
    'line-strong',
    'focus',
    'category-1',
    'category-2',
    'category-3',
    'category-4',
    'category-5',
    'category-6',
  ])('%s can be told from the surface', (name) => {
    expect(contrast(name, 'surface', theme)).toBeGreaterThanOrEqual(3);
  });
});
