/** What a guest's JSON will take once it is read: two characters of text can be an object of a hundred bytes. */

/** What each object or list counts, beside its text: about what an empty one takes of the page's memory. */
export const containerBytes = 48;
/** What each further item or member counts. */
export const itemBytes = 8;

const quote = 34;
const comma = 44;
const openList = 91;
const backslash = 92;
const openObject = 123;

/** An upper bound, found in one pass without building anything; for text that is no JSON, a number. Stops counting beyond `maxBytes`. */
export function costOfJson(text: string, maxBytes: number): number {
  let cost = 0;
  for (let index = 0; index < text.length && cost <= maxBytes; index += 1) {
    const code = text.charCodeAt(index);
    if (code === quote) index = endOfString(text, index);
    else if (code === comma) cost += itemBytes;
    else if (code === openList || code === openObject) cost += containerBytes;
  }
  return cost;
}

/** Most of a long result is strings, which the platform skips faster than a loop does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === backslash) first -= 1;
    if ((end - first) % 2 === 0) return end;
  }
  return text.length;
}
