import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { libraryVersion } from './version.ts';

test('the version is that of the package', () => {
  expect(libraryVersion).toBe(manifest.version);
});
