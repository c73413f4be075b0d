// What the app's own host must send. The sandbox frame has headers of its own (vivarium/vite).
import { existsSync } from 'node:fs';

/** The worker that imports edited modules from blob addresses; see docs/decisions/0008-edited-modules.md. */
const editedModulesWorker = '/modules.worker.js';

/** @param {{ script?: string }} [more] */
function toPolicy({ script = '' } = {}) {
  return [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval'${script}`,
    // Observable Plot puts a style element into each figure.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "media-src 'self'",
    // Model endpoints are the user's to name; a static header cannot know them. A model on this machine speaks plain http.
    "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
    "worker-src 'self'",
    // Stops a sandbox frame from navigating itself to another origin with what it knows.
    "frame-src 'self'",
    "frame-ancestors 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** Content-Security-Policy of the app's pages, workers and files, by path. @param {string} path */
export function pagePolicy(path) {
  return path === editedModulesWorker ? toPolicy({ script: ' blob:' }) : toPolicy();
}

/** Inputs of the app build that have fixed names, so that edited modules can import them. Missing files are left out. */
export function stableEntries() {
  const entries = {
    vivarium: 'src/app/playground/vivarium.ts',
    'modules.worker': 'src/app/playground/modules.worker.ts',
  };
  return Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(file)));
}
