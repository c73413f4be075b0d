import { expect, test } from 'vitest';
import { createTextCompiler } from '../../wasm/guest/text-compiler.ts';
import { asLibrary, extension, extensionText } from './extension-test-scene.ts';

test('the extension module of the tests is what its text says', async () => {
  const compile = await createTextCompiler();
  expect(asLibrary(compile(extensionText))).toEqual(extension);
});
