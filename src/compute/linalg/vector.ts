/** The inner loops of the decompositions, on stretches of float64 arrays. */

/** Σ a[aStart + i] · b[bStart + i]. Four sums run side by side, so that additions need not wait for each other. */
// oxlint-disable-next-line max-params -- a stretch is an array, a start and a length; objects would be allocated per row
export function dot(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  length: number,
): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const whole = length - (length % 4);
  let i = 0;
  for (; i < whole; i += 4) {
    s0 += a[aStart + i]! * b[bStart + i]!;
    s1 += a[aStart + i + 1]! * b[bStart + i + 1]!;
    s2 += a[aStart + i + 2]! * b[bStart + i + 2]!;
    s3 += a[aStart + i + 3]! * b[bStart + i + 3]!;
  }
  for (; i < length; i++) s0 += a[aStart + i]! * b[bStart + i]!;
  return s0 + s1 + (s2 + s3);
}

/** target[tStart + i] += factor · source[sStart + i]. */
// oxlint-disable-next-line max-params -- as dot
export function addScaled(
  target: Float64Array,
  tStart: number,
  source: Float64Array,
  sStart: number,
  factor: number,
  length: number,
): void {
  if (factor === 0) return;
  for (let i = 0; i < length; i++) target[tStart + i] = target[tStart + i]! + factor * source[sStart + i]!;
}

/** √(a² + b²) that neither overflows nor loses tiny values; `Math.hypot` is many times slower. */
export function hypotenuse(a: number, b: number): number {
  const sum = a * a + b * b;
  if (sum > 1e-280 && sum < 1e300) return Math.sqrt(sum);
  const larger = Math.max(Math.abs(a), Math.abs(b));
  if (larger === 0 || !Number.isFinite(larger)) return larger;
  const [x, y] = [a / larger, b / larger];
  return larger * Math.sqrt(x * x + y * y);
}

/** Below this a sum of squares has lost digits to underflow. */
const smallestSafeSquare = 2 ** -900;

/** Divides x[start..end) by its largest magnitude and answers that. */
function normalize(x: Float64Array, start: number, end: number): number {
  let unit = 0;
  for (let i = start; i < end; i++) unit = Math.max(unit, Math.abs(x[i]!));
  if (unit > 0) for (let i = start; i < end; i++) x[i] = x[i]! / unit;
  return unit;
}

/**
 * Turns x[start..end) into the Householder vector v (v[start] = 1) of H = I − τ·v·vᵀ with H·x = β·e₁, and
 * answers β and τ. Golub & Van Loan, Matrix Computations, 4th ed., 5.1.3, with LAPACK's sign of β. H is orthogonal
 * to rounding also for tiny x: an error there would be multiplied by the large entries that H is applied to.
 */
export function reflect(x: Float64Array, start: number, end: number): { beta: number; tau: number } {
  const tail = dot(x, start + 1, x, start + 1, end - start - 1);
  const sum = x[start]! * x[start]! + tail;
  if (sum < smallestSafeSquare) {
    const unit = normalize(x, start, end);
    if (unit === 0) return reflectSafe(x, start, end, 0);
    const { beta, tau } = reflectSafe(x, start, end, dot(x, start + 1, x, start + 1, end - start - 1));
    return { beta: beta * unit, tau };
  }
  return reflectSafe(x, start, end, tail);
}

/** {@link reflect} for x of ordinary size; `tail` is the sum of squares of all entries but the first. */
function reflectSafe(
  x: Float64Array,
  start: number,
  end: number,
  tail: number,
): { beta: number; tau: number } {
  const head = x[start]!;
  x[start] = 1;
  if (tail === 0) {
    x.fill(0, start + 1, end);
    return { beta: head, tau: 0 };
  }
  const length = Math.sqrt(head * head + tail);
  const beta = head > 0 ? -length : length;
  const inverse = 1 / (head - beta);
  for (let i = start + 1; i < end; i++) x[i] = x[i]! * inverse;
  return { beta, tau: (beta - head) / beta };
}
