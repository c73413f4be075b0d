import { expect, test } from 'vitest';
import { createTextCompiler } from '../language/wasm/guest/text-compiler.ts';
import { asLibrary } from '../language/python/package/extension-test-scene.ts';
import { libraries } from './libraries.ts';
import type { Library } from './libraries.ts';

const written = Object.entries<Library>(libraries).flatMap(([name, { text, encoded }]) =>
  text ? [[name, text, encoded]] : [],
);

test.each(written)('the library %s is what its text says', async (_name, text, encoded) => {
  const compile = await createTextCompiler();
  expect(Buffer.from(asLibrary(compile(text))).toString('base64')).toBe(encoded);
});
