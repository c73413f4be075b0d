/** Things that only the page can do, addressed like actors: a module in a worker calls them by name. */
import { CodedError } from '../../base/index.ts';
import type { IncomingCall } from '../../port/index.ts';

/** Answers one service's calls. It gets hostile input like any other border: it checks what it reads. */
export type PageService = (call: IncomingCall) => unknown;

export function unknownMethod(service: string, method: string): CodedError {
  return new CodedError(
    'runtime/service-method-not-found',
    `the page service "${service}" has no method "${method}"`,
    {
      fields: { service, method },
    },
  );
}

/** Sends each call to the service it names. @throws `runtime/service-not-found`, naming what exists */
export function createServiceRouter(services: Readonly<Record<string, PageService>>): PageService {
  return (call) => {
    const service = Object.hasOwn(services, call.to) ? services[call.to] : undefined;
    if (service) return service(call);
    const known = Object.keys(services);
    throw new CodedError(
      'runtime/service-not-found',
      `the page has no service "${call.to}"; there are: ${known.join(', ')}`,
      {
        fields: { service: call.to, known },
      },
    );
  };
}
