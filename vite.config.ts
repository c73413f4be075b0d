import './tools/map-group-by.mjs';
import { defineConfig } from 'vitest/config';
import { playwright } from '@vitest/browser-playwright';
import { findBrowser } from './tools/find-browser.mjs';
import type { Plugin } from 'vite';
import { resolve } from 'node:path';
import { isolationHeaders, sandboxFiles } from './src/vite.ts';
import { chromiumFlags, softwareWebGpuFlags } from './tools/chromium-flags.mjs';
import { pagePolicy, stableEntries } from './tools/page-headers.mjs';

/** The page must be cross-origin isolated wherever it is served: SharedArrayBuffer stops stuck Python politely. */
const isolation = { ...isolationHeaders() };

/** The built app is served with its real policy; the development server's own scripts would not pass it. */
const policy: Plugin = {
  name: 'vivarium-page-policy',
  configurePreviewServer(server) {
    server.middlewares.use((request, response, next) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      response.setHeader('Content-Security-Policy', pagePolicy(pathname));
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('Referrer-Policy', 'no-referrer');
      next();
    });
  },
};

/** These need an adapter, which only the second browser has. */
const webGpuTests = 'src/compute/device/webgpu.browser.test.ts';
const executablePath = findBrowser();
const sandboxFolder = resolve(import.meta.dirname, 'public/sandbox');
const stable = stableEntries();

// see tools/property-seed.mjs
const drawing = {
  setupFiles: [resolve(import.meta.dirname, 'tools/property-seed.mjs')],
  env: process.env['CI'] ? { PROPERTY_SEED: '20261122' } : {},
};

export default defineConfig({
  appType: 'mpa',
  plugins: [
    policy,
    // On a fresh clone the setup of the browser tests fills the folder.
    sandboxFiles({ assetFolder: sandboxFolder, isFilledLater: true }),
  ],
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    // Three editors and the plots are one lazily loaded piece each.
    chunkSizeWarningLimit: 1000,
    outDir: 'dist-app',
    // Code that preloads touches `document`, and workers share these chunks.
    modulePreload: {
      polyfill: false,
      resolveDependencies: (_, deps, { hostType }) => (hostType === 'html' ? deps : []),
    },
    rolldownOptions: {
      input: { index: 'index.html', ...stable },
      preserveEntrySignatures: 'exports-only',
      output: {
        entryFileNames: ({ name }) => (Object.hasOwn(stable, name) ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  // found late, behind a dynamic import, a package makes the dev server reload the page under a running test
  optimizeDeps: {
    // it finds its WebAssembly beside its own file
    exclude: ['@electric-sql/pglite'],
    include: [
      'fast-check',
      'idb',
      'msgpackr/pack',
      'msgpackr/unpack',
      '@bufbuild/protobuf',
      '@bufbuild/protobuf/wire',
      '@bufbuild/protobuf/wkt',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-wasm',
      '@tensorflow/tfjs-backend-webgpu',
      'comlink',
      'lit',
      'lit/directives/repeat.js',
      '@codemirror/commands',
      '@codemirror/lang-javascript',
      '@codemirror/lang-python',
      '@codemirror/language',
      '@codemirror/state',
      '@codemirror/view',
      '@lezer/highlight',
      '@observablehq/plot',
      'papaparse',
      'sucrase',
      'es-module-lexer',
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          ...drawing,
          environment: 'node',
          include: ['src/**/*.test.ts', 'tools/**/*.test.mjs'],
          exclude: ['src/**/*.browser.test.ts'],
        },
      },
      {
        extends: true,
        // examples name the package; here that is its source
        resolve: {
          alias: [
            { find: /^vivarium$/, replacement: resolve(import.meta.dirname, 'src/index.ts') },
            { find: /^vivarium\/worker$/, replacement: resolve(import.meta.dirname, 'src/worker.ts') },
          ],
        },
        test: {
          name: 'browser',
          ...drawing,
          include: ['src/**/*.browser.test.ts'],
          globalSetup: ['tools/openai-server-setup.mjs', 'tools/browser-test-setup.mjs'],
          testTimeout: 30_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { args: chromiumFlags, ...(executablePath ? { executablePath } : {}) },
            }),
            instances: [
              { browser: 'chromium', exclude: [webGpuTests] },
              {
                browser: 'chromium',
                name: 'browser with a software GPU',
                include: [webGpuTests],
                provider: playwright({
                  launchOptions: {
                    args: [...chromiumFlags, ...softwareWebGpuFlags],
                    ...(executablePath ? { executablePath } : {}),
                  },
                }),
              },
            ],
          },
        },
      },
    ],
  },
});
