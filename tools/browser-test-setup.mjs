// Before the browser tests: the guests' files are built, and somebody listens outside the sandbox.
import { buildAssets } from './build-assets.mjs';
import { startListener } from './listener.mjs';

/** @param {{ provide: (key: string, value: string) => void }} project */
export default async function setup(project) {
  await buildAssets();
  const listener = await startListener();
  project.provide('listenerUrl', listener.url);
  return () => listener.close();
}
