// Makes sure that the tests have a browser, or says in one sentence what to do.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { findBrowser } from './find-browser.mjs';

function install() {
  const isRootOnDebian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  /** @type {[string, string[]][]} */
  const steps = isRootOnDebian
    ? [
        ['apt-get', ['update', '-qq']],
        ['apt-get', ['install', '-y', '-qq', 'chromium']],
      ]
    : [['npx', ['playwright', 'install', 'chromium']]];
  for (const [command, args] of steps) {
    console.log(`no browser found: ${command} ${args.join(' ')}`);
    const { status } = spawnSync(command, args, {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0) return;
  }
}

if (!findBrowser()) install();
const found = findBrowser();
if (!found) {
  console.error(
    'No browser for the tests: install Chromium, Chrome or Edge, or set VIVARIUM_BROWSER to its executable.',
  );
  process.exit(1);
}
console.log(`browser: ${found}`);
