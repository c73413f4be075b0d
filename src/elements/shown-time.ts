/** A moment as people read it: date and time in the words of their locale, and exactly for machines and on hover. */
import type { TemplateResult } from 'lit';
import { html } from 'lit';

/** A `<time>`; a number that is no moment is shown as a dash. @param atMs wall-clock milliseconds since 1970 */
export function shownTime(atMs: number): TemplateResult {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return html`–`;
  const exact = date.toISOString();
  const words = date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
  return html`<time datetime=${exact} title=${exact}>${words}</time>`;
}
