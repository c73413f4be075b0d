/** JSON text as Python's orjson prints it with two spaces of indentation. */
import type { Json } from '../base/index.ts';
import { isPythonFloat, parseFloatText } from './python-value.ts';

/** A number is an `int` when it is integral, else a `float`; `{ $float: '1.0' }` is a `float` always. */
export function printOrjson(value: Json, indent: string = ''): string {
  if (typeof value === 'number') return isInteger(value) ? String(BigInt(value)) : printFloat(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isPythonFloat(value)) return printFloat(parseFloatText(value.$float));
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? (value as readonly Json[]).map((item) => printOrjson(item, inner))
    : Object.entries(value).map(
        ([key, item]) => `${JSON.stringify(key)}: ${printOrjson(item as Json, inner)}`,
      );
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => `${inner}${item}`).join(',\n')}\n${indent}${close}`;
}

function isInteger(value: number): boolean {
  return Number.isInteger(value) && !Object.is(value, -0);
}

/** Plain from 1e-5 to below 1e16, else with an exponent; infinities and NaN are null. */
function printFloat(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  if (Object.is(value, -0)) return '-0.0';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-5 || size >= 1e16)) return value.toExponential();
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
