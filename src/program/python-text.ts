/** Python's ways with text. */
export function cleanDocumentation(text: string): string {
  return text;
}
