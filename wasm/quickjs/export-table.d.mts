/** The module with its table exported as `table`. */
export function exportTable(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
