/** Things that only the page can do, addressed like actors: a module in a worker calls them by name. */
import type { MessageSource } from '../../actor/index.ts';
import { CodedError } from '../../base/index.ts';
import type { IncomingCall } from '../../port/index.ts';

/** Answers one service's calls. It gets hostile input like any other border: it checks what it reads. */
export type PageService = (call: IncomingCall, source: MessageSource) => unknown;

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
  return (call, source) => {
    const service = Object.hasOwn(services, call.to) ? services[call.to] : undefined;
    if (service) return service(call, source);
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

/**
 * Whoever asks names the actor that it asks for. One worker cannot speak for an actor in another; modules of one worker are one program to
 * each other, and nothing could tell them apart: code of one worker shares its globals, whatever is kept secret there.
 * @throws `runtime/service-owner-refused`, and `actor/peer-died` for a start of an actor that is over: then it is late, and no
 *   offence, whatever runs under the same id by then
 */
export function requireOwner(
  service: string,
  { owner, incarnation }: { readonly owner: string; readonly incarnation: number },
  source: MessageSource,
): void {
  const place = source.whereIs(owner, incarnation);
  if (place === 'here') return;
  const named = owner.slice(0, 100);
  const fields = { service, owner: named, worker: source.worker };
  if (place !== 'elsewhere')
    throw new CodedError('actor/peer-died', `actor "${named}", which asked the page, is over`, { fields });
  source.violate(`a call of the page service "${service}" for "${named}", which runs elsewhere`);
  throw new CodedError(
    'runtime/service-owner-refused',
    `a call of the page service "${service}" came from ${source.worker}, and names the actor "${named}", which does not run there`,
    { fields },
  );
}

/** What a member of a body must be, and how that is said. */
export type MemberCheck = readonly [isValid: (value: unknown) => boolean, expected: string];

/** Checks that more than one service has. */
export const memberChecks: Readonly<Record<'text' | 'flag' | 'count' | 'timeLimit', MemberCheck>> = {
  text: [(value) => typeof value === 'string', 'a text'],
  flag: [(value) => typeof value === 'boolean', 'true or false'],
  count: [(value) => Number.isSafeInteger(value) && (value as number) >= 0, 'a whole number from 0 on'],
  // how long it may be is for whoever keeps the time
  timeLimit: [
    (value) => value === undefined || typeof value === 'number',
    'a number of milliseconds, or nothing',
  ],
};

/** @throws `runtime/service-body-invalid` naming the field, its value and what was expected */
export function checkBody(
  service: string,
  body: unknown,
  checks: Readonly<Record<string, MemberCheck>>,
): void {
  if (typeof body !== 'object' || body === null) throw bodyInvalid(service, 'body', body, 'an object');
  for (const [field, [isValid, expected]] of Object.entries(checks)) {
    const value: unknown = Reflect.get(body, field);
    if (!isValid(value)) throw bodyInvalid(service, field, value, expected);
  }
}

function bodyInvalid(service: string, field: string, value: unknown, expected: string): CodedError {
  const shown = typeof value === 'string' ? value.slice(0, 100) : typeof value;
  return new CodedError(
    'runtime/service-body-invalid',
    `a call of the page service "${service}": ${field} is ${shown}, but must be ${expected}`,
    { fields: { service, field, value: shown, expected } },
  );
}
