import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nameDisposal } from './disposal.ts';

describe('nameDisposal', () => {
  it('adds what a browser lacks, under the names that compilers look for', () => {
    const symbols: { dispose?: symbol; asyncDispose?: symbol } = {};
    nameDisposal(symbols);
    expect([symbols.dispose, symbols.asyncDispose]).toEqual([
      Symbol.for('Symbol.dispose'),
      Symbol.for('Symbol.asyncDispose'),
    ]);
  });

  it('leaves what is there', () => {
    const own = Symbol('own');
    const symbols = { dispose: own, asyncDispose: own };
    nameDisposal(symbols);
    expect(symbols).toEqual({ dispose: own, asyncDispose: own });
  });

  // a bundler drops a module that says it does nothing when nobody uses its exports
  it('is told to bundlers as a module that does something', () => {
    const { sideEffects } = JSON.parse(readFileSync(resolve('package.json'), 'utf8')) as {
      sideEffects: string[];
    };
    expect(sideEffects).toEqual(['./src/base/disposal.ts', './dist/base/disposal.js']);
  });
});
