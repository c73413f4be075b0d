/** Gives browsers that lack them (WebKit, until it has them by itself) the symbols of disposal, before any class names a method with one. */

/** Adds what is missing, under the name that compilers of `using` look for. */
export function nameDisposal(symbols: object): void {
  for (const name of ['dispose', 'asyncDispose']) {
    if (Reflect.get(symbols, name) !== undefined) continue;
    Object.defineProperty(symbols, name, { value: Symbol.for(`Symbol.${name}`) });
  }
}

nameDisposal(Symbol);
