/** Shows a guest's rich value. What does it is loaded with the first one. */
import type { DisplayValue } from '../display.ts';

/** How a rich value is shown. */
export interface RenderOptions {
  /** What the frame is called to who cannot see it. Default `output`. */
  readonly title?: string;
  /** Height at first, in CSS pixels: a frame without scripts cannot say how high its content is. The box can be dragged. Default 240. */
  readonly heightPx?: number;
}

/**
 * An element that shows the richest form of a value: HTML, a picture, or text. What is inside is a frame of an opaque origin (`sandbox=""`), under a
 * policy that forbids scripts and every request; links in HTML lead nowhere. HTML of more than
 * 2,097,152 characters or 300,000 elements is shown in the value's next form. A page whose own policy forbids inline styles shows it without its
 * styles. The caller puts the element into the page, and takes it out. Rejects only when its code cannot be loaded.
 */
export async function renderHtml(value: DisplayValue, options: RenderOptions = {}): Promise<HTMLElement> {
  const { createRichFrame } = await import('./rich-frame.ts');
  return createRichFrame(value, options);
}
