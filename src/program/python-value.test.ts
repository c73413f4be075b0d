import { describe, expect, it } from 'vitest';
import { parsePythonType } from './parse-python-type.ts';
import { printJson, representPython } from './python-print.ts';
import { fromPythonValue, isPythonFloat, maxValueDepth, pythonFloat, toPythonValue } from './python-value.ts';

const json = (value: unknown, type?: string): string =>
  printJson(toPythonValue(value, type === undefined ? undefined : parsePythonType(type)));

describe('Python values', () => {
  it('takes whole numbers for ints, unless the type says float', () => {
    expect(json([1, 1.5, 2n ** 70n])).toBe('[1, 1.5, 1180591620717411303424]');
    expect(json([1, 2n], 'list[float]')).toBe('[1.0, 2]');
    expect(json({ a: { b: 1 } }, 'dict[str, dict[str, float]]')).toBe('{"a": {"b": 1.0}}');
    expect(json([1, 1], 'tuple[int, float]')).toBe('[1, 1.0]');
    expect(json([[1], null], 'list[Optional[list[float]]]')).toBe('[[1.0], null]');
    expect(json(1, 'Union[float, int]')).toBe('1');
    expect(json(-0)).toBe('-0.0');
  });

  it('writes a tagged float as a float anywhere', () => {
    expect(json({ score: pythonFloat(1), nested: [pythonFloat(1e-7)] })).toBe(
      '{"score": 1.0, "nested": [1e-07]}',
    );
    expect(isPythonFloat(JSON.parse(JSON.stringify(pythonFloat(2))))).toBe(true);
    expect(isPythonFloat(structuredClone(pythonFloat(2)))).toBe(true);
    expect(json(pythonFloat(-0))).toBe('-0.0');
    expect(() => json({ $float: 'one' })).toThrow(
      expect.objectContaining({ code: 'program/value-unsupported' }),
    );
  });

  it('keeps the order of number-like keys in a map, which an object loses', () => {
    expect(
      json(
        new Map([
          ['10', 1],
          ['9', 2],
        ]),
      ),
    ).toBe('{"10": 1, "9": 2}');
    expect(json({ 10: 1, 9: 2 })).toBe('{"9": 2, "10": 1}');
  });

  it('tells absent from null', () => {
    expect(json({ a: undefined, b: null })).toBe('{"b": null}');
    expect(json([undefined])).toBe('[null]');
  });

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a class instance', new (class Point {})()],
    ['a date', new Date(0)],
  ])('refuses %s', (_name, value) => {
    expect(() => json({ value })).toThrow(expect.objectContaining({ code: 'program/value-unsupported' }));
  });

  it('refuses cycles and depth instead of running out of stack', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => json(cycle)).toThrow(expect.objectContaining({ code: 'program/value-unsupported' }));
    let deep: unknown = 1;
    for (let level = 0; level < maxValueDepth; level += 1) deep = [deep];
    expect(json(deep)).toHaveLength(2 * maxValueDepth + 1);
    expect(() => json([deep])).toThrow(expect.objectContaining({ code: 'program/value-unsupported' }));
  });

  it('does not take __proto__ for more than a key', () => {
    const value = toPythonValue(JSON.parse('{"__proto__": {"polluted": 1}}'));
    const back = fromPythonValue(value) as object;
    expect(Object.keys(back)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  it('represents as Python does', () => {
    const value = toPythonValue({
      a: [1, pythonFloat(1), true, null, "it's"],
      s: new Set([1]),
      e: new Set(),
    });
    expect(representPython(value)).toBe("{'a': [1, 1.0, True, None, \"it's\"], 's': {1}, 'e': set()}");
  });
});
