import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from './decide.ts';
import type { PolicyRequest } from './decide.ts';
import { comparePolicies, describePolicy } from './describe-policy.ts';
import { narrowPolicy } from './narrow-policy.ts';
import { denyByDefault, parsePolicy, resolvePolicy } from './policy.ts';
import type { Policy } from './policy.ts';

// few names, so that policies and requests meet often
const origin = fc.constantFrom('https://a.example', 'https://b.example:8443', 'http://c.example');
const method = fc.constantFrom('GET', 'POST', 'PUT');
const path = fc.constantFrom('a', 'b', 'a/b', 'a/b/c', 'a/d', 'ab', 'ab/c');
const pattern = fc.oneof(
  path,
  path.map((folder) => `${folder}/**`),
  fc.constant('**'),
);
const name = fc.constantFrom('x', 'y', 'z');
const names = fc.array(fc.oneof({ weight: 3, arbitrary: name }, fc.constant('*')), { maxLength: 3 });
const packageName = fc.constantFrom('six', 'attrs', 'rich');
const packageOrigin = fc.constantFrom('page', 'https://index.example');
const packages = fc.array(
  fc.record({
    origin: packageOrigin,
    names: fc.array(fc.oneof(packageName, fc.constant('*')), { maxLength: 3 }),
  }),
  { maxLength: 3 },
);
const module = fc.constantFrom(
  'os',
  'os.path',
  'ossify',
  'node:fs',
  'node:fs/promises',
  'fs',
  'fs/promises',
  'js',
);
const policies: fc.Arbitrary<Policy> = fc.record({
  version: fc.constant(1 as const),
  network: fc.array(fc.record({ origin, methods: fc.array(method, { maxLength: 3 }) }), { maxLength: 3 }),
  files: fc.array(pattern, { maxLength: 4 }),
  environment: names,
  tools: names,
  packages,
  deniedModules: fc.array(module, { maxLength: 3 }),
  deniedGlobals: fc.array(name, { maxLength: 3 }),
});
const requests: fc.Arbitrary<PolicyRequest> = fc.oneof(
  fc.record({ permission: fc.constant('network' as const), origin, method }),
  fc.record({ permission: fc.constant('file' as const), name: path }),
  fc.record({ permission: fc.constant('package' as const), origin: packageOrigin, name: packageName }),
  fc.record({ permission: fc.constant('module' as const), name: module }),
  fc.record({
    permission: fc.constantFrom('tool' as const, 'environment' as const, 'global' as const),
    name,
  }),
);

test('what two policies narrow to allows exactly what both allow', () => {
  fc.assert(
    fc.property(policies, policies, requests, (one, other, request) => {
      const both = decide(one, request).isAllowed && decide(other, request).isAllowed;
      expect(decide(narrowPolicy(one, other), request).isAllowed).toBe(both);
    }),
    { numRuns: 3000 },
  );
});

test('narrowing again, or by itself, changes nothing', () => {
  fc.assert(
    fc.property(policies, policies, requests, (one, other, request) => {
      const isAllowed = (policy: Policy): boolean => decide(policy, request).isAllowed;
      const narrow = narrowPolicy(one, other);
      expect(isAllowed(narrowPolicy(narrow, other))).toBe(isAllowed(narrow));
      expect(isAllowed(narrowPolicy(one, one))).toBe(isAllowed(one));
      expect(isAllowed(narrowPolicy(other, one))).toBe(isAllowed(narrow));
    }),
  );
});

test('a policy survives being stored, and equals itself', () => {
  fc.assert(
    fc.property(policies, (policy) => {
      const stored: unknown = JSON.parse(JSON.stringify(policy));
      expect(parsePolicy(stored)).toEqual(policy);
      expect(comparePolicies(policy, parsePolicy(stored))).toEqual([]);
    }),
  );
});

const whole = { ...denyByDefault };
const errorOf = (work: () => unknown): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
};
test.each<[string, unknown, string]>([
  ['null', null, 'executor/policy-invalid'],
  ['a list', [], 'executor/policy-invalid'],
  ['no version', { ...whole, version: undefined }, 'executor/policy-version-unknown'],
  ['a later version', { ...whole, version: 2 }, 'executor/policy-version-unknown'],
  ['a version of great length', { ...whole, version: 'x'.repeat(1e6) }, 'executor/policy-version-unknown'],
  ['a list that is missing', { ...whole, tools: undefined }, 'executor/policy-invalid'],
  ['a field that nobody knows', { ...whole, allowAll: true }, 'executor/policy-invalid'],
  [
    'an origin with a path',
    { ...whole, network: [{ origin: 'https://a.b/c', methods: [] }] },
    'executor/policy-invalid',
  ],
  ['every origin', { ...whole, network: [{ origin: '*', methods: ['GET'] }] }, 'executor/policy-invalid'],
  [
    'a scheme of the browser',
    { ...whole, network: [{ origin: 'null', methods: ['GET'] }] },
    'executor/policy-invalid',
  ],
  [
    'a method in small letters',
    { ...whole, network: [{ origin: 'https://a.b', methods: ['get'] }] },
    'executor/policy-invalid',
  ],
  ['a path upwards', { ...whole, files: ['a/../b'] }, 'executor/policy-invalid'],
  ['a pattern in the middle', { ...whole, files: ['a/**/b'] }, 'executor/policy-invalid'],
  [
    'a package that is written another way',
    { ...whole, packages: [{ origin: 'page', names: ['A_b'] }] },
    'executor/policy-invalid',
  ],
  [
    'packages from anywhere',
    { ...whole, packages: [{ origin: '*', names: ['*'] }] },
    'executor/policy-invalid',
  ],
  ['a name that is a number', { ...whole, tools: [1] }, 'executor/policy-invalid'],
  ['a module with a space', { ...whole, deniedModules: ['a b'] }, 'executor/policy-invalid'],
  [
    'too many entries',
    { ...whole, tools: Array.from({ length: 10_001 }, () => 'x') },
    'executor/policy-invalid',
  ],
  ['a name of great length', { ...whole, tools: ['x'.repeat(2000)] }, 'executor/policy-invalid'],
])('%s is no policy', (_name, stored, code) => {
  expect(() => parsePolicy(stored)).toThrow(expect.objectContaining({ code }));
});

test.each([
  ['a line end', 'a\nMay call any tool that the page hands over.'],
  ['a return', 'a\rb'],
  ['a control character', 'a\u001b[2Jb'],
  ['a line end of its own kind', 'a\u2028b'],
  ['a turn of direction', 'a\u202egpj.exe'],
  ['a space of no width', 'a\u200bb'],
  ['half a character', 'a\ud800b'],
  ['a null', 'a\0b'],
])('a path with %s is refused, and shown so that it can be seen', (_name, path) => {
  const error = errorOf(() => parsePolicy({ ...whole, files: ['ok', path] }));
  expect(error).toMatchObject({ code: 'executor/policy-invalid', fields: { field: 'files[1]' } });
  const { message, fields } = error as { message: string; fields: { found: string } };
  for (const text of [message, fields.found]) expect(text).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
  expect(fields.found).toMatch(/\\/u);
});

test('no string of a policy can say more in its description than it does', () => {
  const lists = ['files', 'environment', 'tools', 'deniedModules', 'deniedGlobals'] as const;
  const odd = fc.constantFrom(
    '\n',
    '\r',
    '\t',
    '\v',
    '\u0085',
    '\u2028',
    '\u2029',
    '\u200d',
    '\u202e',
    '\ufeff',
  );
  fc.assert(
    fc.property(fc.constantFrom(...lists), fc.string(), odd, fc.string(), (list, before, mark, after) => {
      const stored = { ...whole, [list]: [`${before}${mark}${after}`] };
      expect(errorOf(() => parsePolicy(stored))).toMatchObject({ code: 'executor/policy-invalid' });
    }),
  );
  for (const network of [
    [{ origin: 'https://a.b\n', methods: [] }],
    [{ origin: 'https://a.b', methods: ['GET\n'] }],
  ])
    expect(errorOf(() => parsePolicy({ ...whole, network }))).toMatchObject({
      code: 'executor/policy-invalid',
    });
});

test('a name of a field or a version is shown so that it can be seen', () => {
  for (const stored of [
    { ...whole, 'a\n\u202eb': 1 },
    { ...whole, version: '2\n\u202e' },
  ]) {
    const { message } = errorOf(() => parsePolicy(stored)) as { message: string };
    expect(message).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);
  }
});

test('two policies as long as they may be are narrowed at once', () => {
  const paths = (start: string): string[] =>
    Array.from({ length: 10_000 }, (_, index) => `${start}${index}/${'x/'.repeat(20)}**`);
  const origins = (port: number) =>
    Array.from({ length: 10_000 }, (_, index) => ({
      origin: `https://a${index}.example:${port}`,
      methods: ['GET'],
    }));
  const one = resolvePolicy({ files: paths('a'), network: origins(81) });
  const other = resolvePolicy({ files: paths('b'), network: origins(82) });
  const startMs = performance.now();
  const narrow = narrowPolicy(one, other);
  // pair by pair it is 200 million comparisons
  expect(performance.now() - startMs).toBeLessThan(2000);
  expect(narrow).toMatchObject({ files: [], network: [] });
  expect(narrowPolicy(one, one)).toEqual(one);
});

test('the error names the entry', () => {
  expect(() => resolvePolicy({ tools: ['a', 'b c'] })).toThrow(
    expect.objectContaining({
      fields: { field: 'tools[1]', expected: 'the name of a tool, or "*"', found: '"b c"' },
    }),
  );
});

test('a policy with the names of objects is data like another', () => {
  const stored: unknown = JSON.parse('{"__proto__": {"tools": ["*"]}, "version": 1}');
  expect(() => parsePolicy(stored)).toThrow(expect.objectContaining({ code: 'executor/policy-invalid' }));
  const policy = resolvePolicy({ tools: ['constructor'] });
  expect(decide(policy, { permission: 'tool', name: 'toString' }).isAllowed).toBe(false);
});

test('what is left out is as by default, and the result is frozen', () => {
  const policy = resolvePolicy({ tools: ['search'] });
  expect(policy).toEqual({ ...denyByDefault, tools: ['search'] });
  expect(Object.isFrozen(policy.tools)).toBe(true);
});

test.each([
  ['node:fs', 'fs', true],
  ['fs', 'node:fs', true],
  ['fs', 'node:fs/promises', true],
  ['node:fs/promises', 'fs', false],
  ['node:fs', 'fsevents', false],
  ['os', 'os.path', true],
])('the rule %j and the module %j are one: %s', (rule, name, isDenied) => {
  const policy = resolvePolicy({ deniedModules: [rule] });
  expect(decide(policy, { permission: 'module', name })).toEqual({
    isAllowed: !isDenied,
    rule: isDenied ? `deniedModules["${rule}"]` : 'deniedModules',
  });
});

test('a denial names its rule', () => {
  expect(decide(denyByDefault, { permission: 'module', name: 'ctypes.util' })).toEqual({
    isAllowed: false,
    rule: 'deniedModules["ctypes"]',
  });
  const policy = resolvePolicy({ network: [{ origin: 'https://a.b', methods: ['GET'] }] });
  expect(decide(policy, { permission: 'network', origin: 'https://a.b', method: 'POST' })).toEqual({
    isAllowed: false,
    rule: 'network["https://a.b"]',
  });
  expect(decide(policy, { permission: 'network', origin: 'https://a.c', method: 'GET' }).rule).toBe(
    'network',
  );
});

test('a policy is put into words', () => {
  const policy = resolvePolicy({
    network: [{ origin: 'https://a.b', methods: ['GET', 'POST'] }],
    files: ['data/**'],
    tools: [],
    deniedModules: [],
    deniedGlobals: ['eval'],
  });
  expect(describePolicy(policy)).toEqual([
    'May reach, through a tool of the page: GET https://a.b, POST https://a.b.',
    'May be given these files: data/**.',
    'May be given any variable of the environment that the page hands over.',
    'May call no tools of the page.',
    'May install these packages: * from page.',
    'May import every module that is there.',
    'May not use: eval.',
  ]);
});

test('two policies are compared entry by entry, and what gives more is said', () => {
  const before = resolvePolicy({ tools: ['a'], deniedModules: ['os', 'js'] });
  const after = resolvePolicy({ tools: ['a', 'b'], deniedModules: ['js', 'ctypes'] });
  expect(comparePolicies(before, after)).toEqual([
    { list: 'tools', change: 'added', entry: 'b', isWidening: true },
    { list: 'deniedModules', change: 'added', entry: 'ctypes', isWidening: false },
    { list: 'deniedModules', change: 'removed', entry: 'os', isWidening: true },
  ]);
});
