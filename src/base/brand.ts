/** Nominal types: a plain string cannot be passed where an id is wanted. */
declare const brand: unique symbol;

export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
