/** Arrays of numbers by the type codes of Python's `array` (long long for 64 bit). */
export const numberArrays: {
  readonly b: Int8ArrayConstructor;
  readonly h: Int16ArrayConstructor;
  readonly H: Uint16ArrayConstructor;
  readonly i: Int32ArrayConstructor;
  readonly I: Uint32ArrayConstructor;
  readonly q: BigInt64ArrayConstructor;
  readonly Q: BigUint64ArrayConstructor;
  readonly f: Float32ArrayConstructor;
  readonly d: Float64ArrayConstructor;
} = {
  b: Int8Array,
  h: Int16Array,
  H: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  q: BigInt64Array,
  Q: BigUint64Array,
  f: Float32Array,
  d: Float64Array,
};
