/** Every case of fixtures/dspy, made by DSPy 3.3.1 itself. Texts must be equal byte for byte. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isCodedError } from '../base/index.ts';
import { ChatAdapter } from './adapter/chat.ts';
import { buildSignature, plain, toRecord } from './dspy-test-cases.ts';
import type { Failure, FormatCase, ParseCase, SignatureCase, SignatureSpec } from './dspy-test-cases.ts';
import { inferPrefix } from './infer-prefix.ts';
import { fromPythonValue } from './python-value.ts';
import { repairJson } from './repair-json.ts';
import { typeNameOf } from './print-python-type.ts';

function load<Case>(name: string): Case[] {
  const text = readFileSync(new URL(`../../fixtures/dspy/${name}.json`, import.meta.url), 'utf8');
  const document = JSON.parse(text) as { versions: { dspy: string }; cases: Case[] };
  expect(document.versions.dspy).toBe('3.3.1');
  return document.cases;
}

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

/** Python names what it was given (`<class …>`, AST dumps); those texts end where that begins. */
const sharedMessages = [
  /^Invalid signature format: '.*', must contain exactly one '->'\.$/s,
  /^Input and output fields must have distinct names/,
  /^Unknown name: \w+$/,
  /^Invalid index to insert/,
  /^Optional must have exactly one type argument$/,
  /^Expected two type arguments for <class 'dict'>/,
  /^Field types must be types, but received: (?:str|5) of type/,
];

const counts = { signatures: 0, format: 0, parse: 0, prefixes: 0, repair: 0 };

function named<Case extends SignatureSpec & { error?: Failure }>(
  cases: readonly Case[],
  nameOf: (one: Case) => string,
): { good: (readonly [string, Case])[]; bad: (readonly [string, Case, Failure])[] } {
  const good = cases.filter((one) => one.error === undefined).map((one) => [nameOf(one), one] as const);
  const bad = cases.flatMap((one) =>
    one.error === undefined ? [] : [[nameOf(one), one, one.error] as const],
  );
  return { good, bad };
}

describe('string signatures', () => {
  const { good, bad } = named(load<SignatureCase>('signatures'), (one) =>
    JSON.stringify([one.signature, one.instructions]),
  );

  it.each(good)('%s', (_name, one) => {
    counts.signatures += 1;
    const signature = buildSignature(one);
    expect(signature.text).toBe(one.text);
    expect(signature.instructions).toBe(one.instructions_result);
    expect(signature.fields.map((field) => ({ ...field, type: typeNameOf(field.type) }))).toEqual(one.fields);
    expect(signature.dumpState()).toEqual(one.state);
  });

  it.each(bad)('%s is refused', (_name, one, error) => {
    counts.signatures += 1;
    const anyMessage: unknown = expect.stringMatching(/./);
    const isShared = sharedMessages.some((pattern) => pattern.test(error.message));
    expect(caught(() => buildSignature(one))).toMatchObject({
      code: error.type === 'KeyError' ? 'program/field-missing' : 'program/signature-invalid',
      message: isShared ? error.message : anyMessage,
    });
  });
});

describe('chat format', () => {
  const { good, bad } = named(load<FormatCase>('chat-format'), (one) => one.name);
  const format = (one: FormatCase): unknown => {
    counts.format += 1;
    return new ChatAdapter().format(buildSignature(one), one.demos.map(toRecord), toRecord(one.inputs));
  };

  it.each(good)('%s', (_name, one) => {
    expect(format(one)).toEqual(one.messages);
  });

  it.each(bad)('%s', (_name, one) => {
    expect(
      isCodedError(
        caught(() => format(one)),
        'program/value-unsupported',
      ),
    ).toBe(true);
  });
});

describe('chat parse', () => {
  const { good, bad } = named(load<ParseCase>('chat-parse'), (one) =>
    JSON.stringify([one.signature, one.completion]),
  );
  const parse = (one: ParseCase): Record<string, unknown> => {
    counts.parse += 1;
    return new ChatAdapter().parse(buildSignature(one), one.completion);
  };

  it.each(good)('%s', (_name, one) => {
    const values = parse(one);
    expect(values).toEqual(plain(one.values));
    expect(Object.keys(values)).toEqual(Object.keys(one.values ?? {}));
  });

  it.each(bad)('%s is refused', (_name, one, error) => {
    const thrown = caught(() => parse(one));
    expect(isCodedError(thrown, 'program/adapter-parse-failed')).toBe(true);
    const { message } = thrown as Error;
    // what pydantic says of a value is its own; everything around it, and all that DSPy itself says, is equal
    const isOwn = / is not one of \(/.test(error.message);
    expect(isOwn ? message : withoutReason(message)).toEqual(
      isOwn ? error.message : withoutReason(error.message),
    );
  });

  function withoutReason(message: string): [string, string] {
    const start = message.indexOf('Error message: ');
    const end = message.indexOf('Adapter ChatAdapter failed');
    return start < 0 ? ['', message] : [message.slice(0, start), message.slice(end)];
  }
});

/** Broken beyond sense: DSPy's reading is an accident of its parser, ours another. */
const readDifferently: ReadonlySet<string> = new Set([
  '{"a" "b", "c"}',
  '{"a", 1}',
  '[{"a"',
  '{"a',
  "{'a': 'it's'}",
  "['it's', 'b']",
  '{"a": b c, d e, "c": 1}',
  '[[[',
]);

describe('json repair', () => {
  it.each(load<{ text: string; value: unknown }>('json-repair').map((one) => [one.text, one.value] as const))(
    '%j',
    (text, value) => {
      counts.repair += 1;
      const isEqual =
        JSON.stringify(fromPythonValue(repairJson(text)), bigints) === JSON.stringify(plain(value), bigints);
      expect(isEqual).toBe(!readDifferently.has(text));
    },
  );

  function bigints(_key: string, value: unknown): unknown {
    return typeof value === 'bigint' ? `${value}n` : value;
  }
});

describe('prefixes', () => {
  it.each(load<{ name: string; prefix: string }>('prefixes').map((one) => [one.name, one.prefix] as const))(
    '%j',
    (name, prefix) => {
      counts.prefixes += 1;
      expect(inferPrefix(name)).toBe(prefix);
    },
  );
});

describe('the number of cases', () => {
  it('is more than was promised', () => {
    console.log(
      `DSPy 3.3.1: ${counts.signatures} signatures, ${counts.format} formats, ${counts.parse} parses, ${counts.prefixes} prefixes, ${counts.repair} repairs`,
    );
    expect(counts.signatures).toBeGreaterThanOrEqual(40);
    expect(counts.format).toBeGreaterThanOrEqual(50);
    expect(counts.parse).toBeGreaterThanOrEqual(60);
  });
});
