/** What a module did that no module may do, in the words of WebAssembly's own tests. */

/** Engines name the same trap in their own words; first those of V8, then those of other engines. */
const kinds: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/call stack|too much recursion/iu, 'call stack exhausted'],
  [/divide by zero|remainder by zero|division by zero/iu, 'integer divide by zero'],
  [/result unrepresentable|integer overflow/iu, 'integer overflow'],
  [/float unrepresentable|invalid conversion|out of bounds trunc/iu, 'invalid conversion to integer'],
  [/table.*out of (bounds|range)|table index/iu, 'out of bounds table access'],
  [/signature mismatch|null function/iu, 'indirect call type mismatch'],
  [
    /out of bounds|outside the bounds|out-of-bounds|out of range|Invalid typed array length/iu,
    'out of bounds memory access',
  ],
  [/null pointer|null reference|dereferencing/iu, 'null reference'],
  [/illegal cast|cast failure/iu, 'cast failure'],
  [/unreachable/iu, 'unreachable'],
];

/** The kind of trap behind an error of the engine; its own message where that is none of the known. */
export function trapKind(message: string): string {
  return kinds.find(([pattern]) => pattern.test(message))?.[1] ?? message;
}

const mostFrames = 32;

const framePattern = /^\s+at (?:(.*?) \()?wasm:\/\/\S*?(wasm-function\[\d+\]:0x[\da-f]+)\)?$/u;

/** The module's own frames, of a stack as V8 writes it. */
export function trapFrames(stack: string): readonly string[] {
  const frames: string[] = [];
  for (const line of stack.split('\n')) {
    const [, name, place] = framePattern.exec(line) ?? [];
    if (place !== undefined) frames.push(`    at ${name ?? '<anonymous>'} (${place})`);
  }
  return frames.slice(0, mostFrames);
}
