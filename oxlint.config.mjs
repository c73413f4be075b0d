// Not found by name: run it through `npm run lint` (Node 20 cannot load oxlint.config.ts, and no other name is looked for).
// The layer table of ARCHITECTURE.md, line for line, and the homes of packages and platform globals.
import { defineConfig } from 'oxlint';

const layers = {
  base: [],
  platform: ['base'],
  telemetry: ['base', 'platform'],
  port: ['base', 'platform', 'telemetry'],
  compute: ['base', 'platform', 'telemetry', 'port'],
  state: ['base', 'platform', 'telemetry', 'port'],
  actor: ['base', 'platform', 'telemetry', 'port'],
  lm: ['base', 'platform', 'telemetry', 'port', 'state'],
  executor: ['base', 'platform', 'telemetry', 'port', 'state'],
  program: ['base', 'platform', 'telemetry', 'compute', 'state', 'lm', 'executor'],
  evaluate: ['base', 'platform', 'telemetry', 'compute', 'program'],
  optimize: ['base', 'platform', 'telemetry', 'compute', 'state', 'lm', 'program', 'evaluate'],
  cluster: ['base', 'platform', 'telemetry', 'port', 'state', 'actor'],
  runtime: [
    'base',
    'platform',
    'telemetry',
    'port',
    'compute',
    'state',
    'actor',
    'lm',
    'executor',
    'program',
    'evaluate',
    'optimize',
    'cluster',
  ],
  elements: [
    'base',
    'platform',
    'telemetry',
    'port',
    'compute',
    'state',
    'actor',
    'lm',
    'executor',
    'program',
    'evaluate',
    'optimize',
    'cluster',
    'runtime',
  ],
  app: [
    'base',
    'platform',
    'telemetry',
    'port',
    'compute',
    'state',
    'actor',
    'lm',
    'executor',
    'program',
    'evaluate',
    'optimize',
    'cluster',
    'runtime',
    'elements',
  ],
};

// package → the layers that may import it; a package without a home is imported nowhere
const homes = {
  idb: ['state'],
  msgpackr: ['state'],
  '@bufbuild/protobuf': ['state'],
  '@bufbuild/protobuf/*': ['state'],
  comlink: ['compute'],
  // a store gets it from the entry `pglite`, so that no other bundle has it
  '@electric-sql/pglite': ['executor'],
  '@tensorflow/*': ['compute'],
  pyodide: ['executor'],
  'quickjs-emscripten-core': ['executor'],
  '@jitl/*': ['executor'],
  acorn: ['executor'],
  '@bjorn3/browser_wasi_shim': ['executor'],
  '@sqlite.org/sqlite-wasm': ['executor'],
  wabt: ['executor'],
  zod: ['program'],
  sucrase: ['executor', 'app'],
  'es-module-lexer': ['app'],
  papaparse: ['app'],
  lit: ['elements', 'app'],
  'lit/*': ['elements', 'app'],
  '@codemirror/*': ['elements', 'app'],
  '@lezer/*': ['elements', 'app'],
  '@observablehq/*': ['elements', 'app'],
};

// global → the folder that may touch it
const globalHomes = {
  setTimeout: ['src/platform/clock.ts'],
  setInterval: ['src/platform/clock.ts'],
  clearTimeout: ['src/platform/clock.ts'],
  clearInterval: ['src/platform/clock.ts'],
  performance: ['src/platform/clock.ts'],
  crypto: ['src/platform/random.ts', 'src/platform/digest.ts'],
  Worker: ['src/platform/spawn.ts', 'src/executor/frame/**', 'src/**/spawn-*.ts'],
  BroadcastChannel: ['src/platform/broadcast.ts'],
  CompressionStream: ['src/platform/compression.ts'],
  DecompressionStream: ['src/platform/compression.ts'],
  indexedDB: ['src/state/backend/**', 'src/executor/idb-store.ts'],
  fetch: [
    'src/lm/transport.ts',
    'src/telemetry/sink/otlp.ts',
    'src/platform/asset.ts',
    'src/app/**',
    'src/executor/language/**',
  ],
  WebSocket: ['src/cluster/**'],
  localStorage: ['src/app/**'],
  process: ['src/vite.ts', 'src/node.ts', 'src/playwright.ts'],
  Buffer: [],
};

const policies = [
  ...Object.entries(layers).flatMap(([layer, below]) => [
    { from: { element: { type: layer } }, allow: { to: { element: { type: layer } } } },
    ...(below.length === 0
      ? []
      : [
          {
            from: { element: { type: layer } },
            allow: { to: { element: { types: { anyOf: below } }, file: { categories: 'face' } } },
          },
        ]),
  ]),
  ...Object.entries(homes).flatMap(([source, allowed]) =>
    allowed.map((layer) => ({
      from: { element: { type: layer } },
      allow: { to: { module: { origin: 'external', source } } },
    })),
  ),
];

const restricted = (names) => [
  'error',
  {
    globals: names.map((name) => ({
      name,
      message: `its home is ${globalHomes[name].join(', ') || 'nowhere'}`,
    })),
    checkGlobalObject: true,
  },
];
const allGlobals = Object.keys(globalHomes);
// Where two overrides match one file the last one wins, so the narrow spawn files come last.
const homeFiles = [...new Set(Object.values(globalHomes).flat())].toSorted(
  (one, other) => Number(one.includes('spawn-')) - Number(other.includes('spawn-')),
);
const restrictedProperties = [
  'error',
  { object: 'Date', property: 'now', message: 'take a Clock' },
  { object: 'Math', property: 'random', message: 'take a Random' },
  { object: 'navigator', property: 'locks', message: 'its home is src/platform/lock.ts' },
  { object: 'navigator', property: 'storage', message: 'its home is src/platform/storage-manager.ts' },
  { object: 'navigator', property: 'gpu', message: 'its home is src/compute/device' },
];

const tests = [
  '**/*.test.ts',
  '**/*.browser.test.ts',
  '**/*.test-d.ts',
  '**/*.bench.ts',
  '**/*.contract.ts',
  '**/*-test-scene.ts',
  'e2e/**',
];

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'vitest', 'promise'],
  jsPlugins: ['eslint-plugin-boundaries'],
  categories: { correctness: 'error' },
  options: { typeAware: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['dist', 'dist-app', 'public', 'fixtures', 'node_modules', 'wasm/**/*.py'],
  settings: {
    'boundaries/include': ['src/*/**/*.ts'],
    'boundaries/elements': Object.keys(layers).map((type) => ({
      type,
      pattern: `src/${type}`,
      partialMatch: false,
    })),
    'boundaries/files': [{ category: 'face', pattern: 'src/*/index.ts' }],
    'import/resolver': { oxc: { extensions: ['.ts', '.js'], conditionNames: ['import'] } },
  },
  rules: {
    'boundaries/dependencies': ['error', { default: 'disallow', checkAllOrigins: true, policies }],
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'no-restricted-globals': restricted(allGlobals),
    'no-restricted-properties': restrictedProperties,
    'no-console': 'error',
    'no-eval': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    eqeqeq: 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/no-unnecessary-type-assertion': 'off',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    'max-params': ['error', { max: 4 }],
    complexity: ['error', { max: 12, variant: 'modified' }],
    'vitest/require-mock-type-parameters': 'off',
    'vitest/expect-expect': ['error', { assertFunctionNames: ['expect*', 'expect.*', 'fc.assert'] }],
  },
  overrides: [
    ...homeFiles.map((file) => ({
      files: [file],
      rules: {
        'no-restricted-globals': restricted(allGlobals.filter((name) => !globalHomes[name].includes(file))),
      },
    })),
    {
      files: ['src/platform/**', 'src/compute/device/**'],
      rules: { 'no-restricted-properties': 'off' },
    },
    {
      files: ['src/*.ts'],
      rules: {
        'no-restricted-imports': [
          'error',
          { patterns: [{ group: ['./*/**', '!./*/index.ts'], message: 'an entry imports faces only' }] },
        ],
      },
    },
    {
      // The laws are no part of a layer's face: they bring a test runner with them.
      files: ['src/testing.ts'],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                group: [
                  './*/**',
                  '!./*/index.ts',
                  '!./*/*.contract.ts',
                  '!./*/contract',
                  '!./*/contract/*.contract.ts',
                  '!./*/laws',
                  '!./*/laws/*.contract.ts',
                ],
                message: 'an entry imports faces only, and ./testing laws',
              },
            ],
          },
        ],
      },
    },
    { files: ['src/telemetry/sink/console.ts'], rules: { 'no-console': 'off' } },
    {
      files: tests,
      rules: {
        'max-lines-per-function': 'off',
        'max-lines': 'off',
        'no-restricted-globals': 'off',
        'no-restricted-properties': 'off',
        'no-console': 'off',
        'boundaries/dependencies': 'off',
      },
    },
    {
      files: ['*.config.ts', '*.config.mjs', 'tools/**', 'wasm/**', 'examples/**'],
      rules: {
        'import/no-default-export': 'off',
        'no-restricted-globals': 'off',
        'no-restricted-properties': 'off',
        'no-console': 'off',
        'max-lines-per-function': 'off',
        'boundaries/dependencies': 'off',
        'unicorn/filename-case': 'off',
      },
    },
    // there Vite gives the text of a file, by `?raw`
    { files: ['examples/**'], rules: { 'import/default': 'off' } },
  ],
});
