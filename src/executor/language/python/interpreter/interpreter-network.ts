/** The network as Pyodide's programs know it, through a tool of the page. */
import { CodedError } from '../../../../base/index.ts';
import { createFetchTool } from '../../../policy/fetch-tool.ts';
import { narrowPolicy } from '../../../policy/narrow-policy.ts';
import { resolvePolicy } from '../../../policy/policy.ts';
import type { Tool } from '../../../tool.ts';
import type { PythonInterpreterOptions } from './python-interpreter.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** A tool for the enabled origins; `undefined` when there are none. Throws `executor/option-invalid`, or `executor/policy-invalid` for an origin. */
export function createNetworkTool({
  enableNetworkAccess = [],
  fetch,
}: PythonInterpreterOptions): Tool | undefined {
  if (enableNetworkAccess.length === 0) return undefined;
  if (!fetch) {
    const fields = { field: 'fetch', expected: 'a function, with enableNetworkAccess', found: 'none' };
    throw new CodedError(
      'executor/option-invalid',
      'fetch: expected a function, with enableNetworkAccess, found none',
      {
        fields,
      },
    );
  }
  const enabled = resolvePolicy({ network: enableNetworkAccess.map((origin) => ({ origin, methods })) });
  const { parameters, call } = createFetchTool({ fetch });
  return {
    ...(parameters ? { parameters } : {}),
    call: (given) => call({ ...given, policy: narrowPolicy(given.policy, enabled) }),
  };
}

/** Puts functions in the place of those that need a network of their own. @param tool the name of the tool */
export function writeNetworkFunctions(tool: string): string {
  return `
def _page_network():
    import importlib, io, json

    class FetchResponse:
        def __init__(self, url, answer):
            self.url, self.status, self.headers, self._body = url, answer["status"], answer["headers"], answer["body"]
            self.ok = 200 <= self.status < 300

        def raise_for_status(self):
            if not self.ok:
                raise OSError(f"{self.status} for {self.url}")

        async def bytes(self):
            return self._body

        async def text(self):
            return self._body.decode()

        string = text

        async def json(self, **options):
            return json.loads(self._body, **options)

    async def pyfetch(url, method="GET", headers=None, body=None, **options):
        return FetchResponse(url, await ${tool}.start(url=url, method=method, headers=headers, body=body))

    def open_url(url):
        return io.StringIO(${tool}(url=url)["body"].decode())

    http = importlib.import_module("pyodide.http")
    http.pyfetch, http.open_url, http.FetchResponse = pyfetch, open_url, FetchResponse

_page_network()
del _page_network
`;
}
