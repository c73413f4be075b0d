// Under CI properties are drawn from one seed, so that a red build is the work of what was changed; elsewhere, and in
// `npm run prove -- properties`, each run draws anew. fast-check prints the seed of a property that failed.
const seed = import.meta.env.PROPERTY_SEED;
if (seed !== undefined) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: Number(seed) });
}
