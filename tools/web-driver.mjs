// A client of the W3C WebDriver protocol, as small as the proofs need it: one session, one window, scripts.
// https://www.w3.org/TR/webdriver2/

/** Longest that one command may take: none of ours waits for anything but the browser. */
const commandTimeoutMs = 60_000;

/**
 * @param {string} driverUrl
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} the answer's value
 */
async function send(driverUrl, method, path, body) {
  const response = await fetch(`${driverUrl}${path}`, {
    method,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(commandTimeoutMs),
  });
  const { value } = /** @type {{ value: any }} */ (await response.json());
  if (response.ok) return value;
  throw new Error(`WebDriver, ${method} ${path}: ${value?.error}: ${value?.message}`);
}

/**
 * Opens a browser by a driver that runs already.
 * @param {string} driverUrl without a slash at the end
 * @param {object} [capabilities] those that it must have
 */
export async function openSession(driverUrl, capabilities = {}) {
  const { sessionId, capabilities: found } = await send(driverUrl, 'POST', '/session', {
    capabilities: { alwaysMatch: capabilities },
  });
  const path = `/session/${sessionId}`;
  return {
    /** Name and version of the browser. */
    version: `${found.browserName} ${found.browserVersion}`,
    /** @param {string} url @returns {Promise<null>} */
    goTo: (url) => send(driverUrl, 'POST', `${path}/url`, { url }),
    /** @param {string} expression of JavaScript @returns {Promise<unknown>} its value, as JSON carries it */
    evaluate: (expression) =>
      send(driverUrl, 'POST', `${path}/execute/sync`, { script: `return (${expression});`, args: [] }),
    /** @returns {Promise<null>} */
    close: () => send(driverUrl, 'DELETE', path),
  };
}

/** Resolves when the driver can open a session. @param {string} driverUrl @param {number} [timeoutMs] */
export async function waitForDriver(driverUrl, timeoutMs = 20_000) {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const status = await send(driverUrl, 'GET', '/status').catch(() => undefined);
    if (status?.ready) return;
    if (performance.now() > end) throw new Error(`no WebDriver answers at ${driverUrl}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
