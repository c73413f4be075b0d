/** An element that draws to the width it is given. */
import type { PropertyDeclarations } from 'lit';
import { VivariumElement } from './vivarium-element.ts';

/** Keeps `width`, in CSS pixels, as wide as the element is laid out. */
export class WidthElement extends VivariumElement {
  static override properties: PropertyDeclarations = { width: { state: true } };

  declare width: number;
  #observer: ResizeObserver | undefined;

  constructor() {
    super();
    this.width = 560;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) this.width = width;
    });
    this.#observer.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
  }
}
