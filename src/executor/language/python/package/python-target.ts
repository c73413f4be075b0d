/** The Python that packages are chosen for: that of the interpreter that this package is made with. A test compares it with the interpreter's own words. */

const fullVersion = '3.14.2';
const [major = '3', minor = '14'] = fullVersion.split('.');

/** Variables of environment markers and their values, as the interpreter has them. */
export const markerEnvironment: Readonly<Record<string, string>> = Object.freeze({
  os_name: 'posix',
  sys_platform: 'emscripten',
  platform_machine: 'wasm32',
  platform_python_implementation: 'CPython',
  platform_release: '5.0.3',
  platform_system: 'Emscripten',
  platform_version: '#1',
  python_version: `${major}.${minor}`,
  python_full_version: fullVersion,
  implementation_name: 'cpython',
  implementation_version: fullVersion,
});

/** Platforms of compiled packages that fit, best first; source: PEP 783 and the tags in the lock file of Pyodide. */
const platforms = ['pyemscripten_2026_0_wasm32', 'pyodide_2026_0_wasm32'];

function listTags(): readonly string[] {
  const versions = Array.from({ length: Number(minor) + 1 }, (_, index) => Number(minor) - index);
  const own = `cp${major}${minor}`;
  const compiled = platforms.flatMap((platform) => [
    `${own}-${own}-${platform}`,
    ...versions.filter((version) => version >= 2).map((version) => `cp${major}${version}-abi3-${platform}`),
    `${own}-none-${platform}`,
    ...versions.map((version) => `py${major}${version}-none-${platform}`),
    `py${major}-none-${platform}`,
  ]);
  const pure = [
    `${own}-none-any`,
    `py${major}${minor}-none-any`,
    `py${major}-none-any`,
    ...versions.slice(1).map((version) => `py${major}${version}-none-any`),
  ];
  return [...compiled, ...pure];
}

const ranks: ReadonlyMap<string, number> = new Map(listTags().map((tag, index) => [tag, index]));

/** The rank of the best of these tags, 0 being the best there is; `undefined` when none of them fits. */
export function rankTags(tags: readonly string[]): number | undefined {
  let best: number | undefined;
  for (const tag of tags) {
    const rank = ranks.get(tag.toLowerCase());
    if (rank !== undefined && rank < (best ?? Infinity)) best = rank;
  }
  return best;
}
