import { afterEach, beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { defineElements } from './define.ts';
import type {
  ParameterSetDetail,
  ParameterView,
  VivariumParameterHistory,
} from './vivarium-parameter-history.ts';

beforeAll(() => defineElements());
afterEach(() => document.body.replaceChildren());

const limit: ParameterView = { name: 'limit', type: 'number', value: 5, constraints: ['min 1'], history: [] };
const weights: ParameterView = { name: 'weights', type: 'list', value: [1, 2], constraints: [], history: [] };

async function open(
  ...parameters: ParameterView[]
): Promise<{ element: VivariumParameterHistory; sets: ParameterSetDetail[] }> {
  const element = document.createElement('vivarium-parameter-history') as VivariumParameterHistory;
  element.parameters = parameters;
  const sets: ParameterSetDetail[] = [];
  element.addEventListener('parameter-set', (event) =>
    sets.push((event as CustomEvent<ParameterSetDetail>).detail),
  );
  document.body.append(element);
  await element.updateComplete;
  return { element, sets };
}

async function enter(element: VivariumParameterHistory, name: string, text: string): Promise<void> {
  const input = element.renderRoot.querySelector(`[data-parameter=${name}] input`) as HTMLInputElement;
  await userEvent.fill(input, text);
  await userEvent.keyboard('{Enter}');
  await element.updateComplete;
}

const refusal = (element: VivariumParameterHistory, name: string): string =>
  (element.renderRoot.querySelector(`[data-parameter=${name}] .refusal`)?.textContent ?? '')
    .replaceAll(/\s+/gu, ' ')
    .trim();

test('values are told by their type', async () => {
  const { element, sets } = await open(limit, weights);
  await enter(element, 'limit', ' 7.5 ');
  await enter(element, 'weights', '[3, 4]');
  expect(sets).toEqual([
    { name: 'limit', value: 7.5 },
    { name: 'weights', value: [3, 4] },
  ]);
});

test('text that is no value never leaves the form, and says why', async () => {
  const { element, sets } = await open(limit, weights);
  await enter(element, 'limit', 'many');
  await enter(element, 'weights', '[3');
  expect(sets).toEqual([]);
  expect(refusal(element, 'limit')).toBe('“many” is not a number.');
  expect(refusal(element, 'weights')).toContain('not JSON');
  expect(element.renderRoot.querySelector('#field-limit')?.getAttribute('aria-invalid')).toBe('true');
  await enter(element, 'limit', '3');
  expect(refusal(element, 'limit')).toBe('');
});

test('a refused value is explained, with what to do next', async () => {
  const error = { code: 'program/constraint-violated', message: 'at least 1', next: 'The old value stays.' };
  const { element } = await open({ ...limit, refusal: error });
  expect(refusal(element, 'limit')).toBe('at least 1 The old value stays. program/constraint-violated');
});

test('history shows the newest first', async () => {
  const history = [
    { atMs: 1, value: 4, cause: 'set' },
    { atMs: 2, value: 5, cause: 'restore' },
  ];
  const { element } = await open({ ...limit, history });
  const rows = [...element.renderRoot.querySelectorAll('tbody tr')].map(
    (row) => row.children[1]?.textContent,
  );
  expect(rows).toEqual(['5', '4']);
  expect(element.renderRoot.querySelector('summary')?.textContent).toBe('2 changes');
});

test('a change has its date and its time, in words and exactly; what is no moment is a dash', async () => {
  const atMs = Date.UTC(2026, 10, 22, 9, 30, 5);
  const history = [
    { atMs, value: 4, cause: 'set' },
    { atMs: Number.NaN, value: 5, cause: 'set' },
  ];
  const { element } = await open({ ...limit, history });
  const [broken, change] = [...element.renderRoot.querySelectorAll('tbody tr')].map(
    ({ children }) => children[0],
  );
  const time = change?.querySelector('time');
  expect(time?.dateTime).toBe('2026-11-22T09:30:05.000Z');
  expect(time?.title).toBe('2026-11-22T09:30:05.000Z');
  expect(time?.textContent).toMatch(/2026/u);
  expect(time?.textContent).toContain('05');
  expect(broken?.textContent).toBe('–');
});

test('nothing is set while it is disabled', async () => {
  const { element, sets } = await open(limit);
  element.isDisabled = true;
  await element.updateComplete;
  expect(element.renderRoot.querySelector('button')?.disabled).toBe(true);
  await enter(element, 'limit', '7');
  expect(sets).toEqual([]);
  element.isDisabled = false;
  await element.updateComplete;
  await enter(element, 'limit', '7');
  expect(sets).toEqual([{ name: 'limit', value: 7 }]);
});
