import type { GuestValue } from 'vivarium/executor';

function write(_key: string, part: unknown): unknown {
  if (typeof part === 'bigint') return `${part}n`;
  if (typeof part === 'number' && !Number.isFinite(part)) return String(part);
  if (part instanceof Map || part instanceof Set) return [...part];
  return ArrayBuffer.isView(part) ? `${part.byteLength} bytes` : part;
}

/** A value as text: JSON, with words for what JSON lacks; the first 20,000 characters. */
export function valueText(value: GuestValue): string {
  const text = typeof value === 'object' ? JSON.stringify(value, write, 2) : String(write('', value));
  return text.slice(0, 20_000);
}
