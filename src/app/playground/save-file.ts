/** A file that the page made, for its reader to keep. */

/** Offers it as a download. */
export function saveFile(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // the download has the bytes once the click is over
  URL.revokeObjectURL(link.href);
}
