/** Long texts of a run, cut before they reach the page or the store. */

/**
 * Characters of one text of a run that the page shows and the store keeps. A program may print megabytes within the sandbox's bounds; a
 * page that lays all of it out stands still, and each reload would read it back.
 */
export const shownTextLength = 200_000;

/** The start of a text that is too long, with a last line that says so. */
export function cutText(text: string): string {
  if (text.length <= shownTextLength) return text;
  const shown = shownTextLength.toLocaleString('en');
  const all = text.length.toLocaleString('en');
  return `${text.slice(0, shownTextLength)}\n… cut here: ${shown} of ${all} characters are shown and kept.`;
}
