import { renderHtml } from 'vivarium/executor';
import type { DisplayValue, GuestValue, OutputPart } from 'vivarium/executor';
import { element } from './element.ts';
import { valueText } from './value-text.ts';

/** What a run prints and shows, in its order. All of it is the guest's: text stays text, and what is rich goes into a frame. */
export class Output {
  readonly #place: Element;

  constructor(place: Element) {
    this.#place = place;
  }

  clear(): void {
    this.#place.replaceChildren();
  }

  print({ stream, text }: OutputPart): void {
    const last = this.#place.lastElementChild;
    if (last?.className === stream) last.append(text);
    else this.#place.append(element('pre', text, stream));
  }

  /** The frame is ready a moment later, and has its place by then. */
  async show(value: DisplayValue): Promise<void> {
    const box = element('div', '', 'rich');
    this.#place.append(box);
    box.append(await renderHtml(value, { title: 'Shown by the program', heightPx: 230 }));
  }

  /** Open, unless something rich was shown: that says the same to people. */
  addValue(value: GuestValue): void {
    const details = document.createElement('details');
    details.open = !this.#place.querySelector('.rich');
    details.append(element('summary', 'Value'), element('pre', valueText(value)));
    this.#place.append(details);
  }
}
