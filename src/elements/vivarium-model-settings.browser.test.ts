import { afterEach, beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { defineElements } from './define.ts';
import type { ModelChoice, VivariumModelSettings } from './vivarium-model-settings.ts';

beforeAll(() => defineElements());
afterEach(() => document.body.replaceChildren());

async function open(): Promise<{
  element: VivariumModelSettings;
  changes: ModelChoice[];
  tests: ModelChoice[];
}> {
  const element = document.createElement('vivarium-model-settings') as VivariumModelSettings;
  const changes: ModelChoice[] = [];
  const tests: ModelChoice[] = [];
  element.addEventListener('model-change', (event) =>
    changes.push((event as CustomEvent<ModelChoice>).detail),
  );
  element.addEventListener('endpoint-test', (event) =>
    tests.push((event as CustomEvent<ModelChoice>).detail),
  );
  document.body.append(element);
  await element.updateComplete;
  return { element, changes, tests };
}

const field = <T extends HTMLElement>(element: VivariumModelSettings, selector: string): T => {
  const found = element.renderRoot.querySelector<T>(selector);
  if (!found) throw new Error(`no ${selector}`);
  return found;
};

test('it is scripted at first, and says what that means', async () => {
  const { element } = await open();
  expect(field<HTMLInputElement>(element, '[value=scripted]').checked).toBe(true);
  expect(element.renderRoot.textContent).toContain('Not a language model');
  expect(element.renderRoot.querySelector('#address')).toBeNull();
});

test('an endpoint is told whole, and its key is not remembered unless asked', async () => {
  const { element, changes, tests } = await open();
  field(element, '[value=openai-compatible]').click();
  await element.updateComplete;
  await userEvent.fill(field(element, '#address'), 'http://localhost:1/v1');
  await userEvent.fill(field(element, '#model'), 'small');
  await userEvent.fill(field(element, '#key'), 'secret');
  await userEvent.keyboard('{Enter}');
  const choice = {
    kind: 'openai-compatible',
    address: 'http://localhost:1/v1',
    model: 'small',
    key: 'secret',
    isKeyRemembered: false,
  };
  expect(tests).toEqual([choice]);
  expect(changes.at(-1)).toEqual(choice);
  field(element, '[name=isKeyRemembered]').click();
  expect(changes.at(-1)?.isKeyRemembered).toBe(true);
});

test('going back to the scripted model keeps what was entered', async () => {
  const { element, changes } = await open();
  element.choice = {
    kind: 'openai-compatible',
    address: 'http://a/v1',
    model: 'm',
    key: 'k',
    isKeyRemembered: true,
  };
  await element.updateComplete;
  field(element, '[value=scripted]').click();
  expect(changes.at(-1)).toEqual({
    kind: 'scripted',
    address: 'http://a/v1',
    model: 'm',
    key: 'k',
    isKeyRemembered: true,
  });
});

test('the result of a test is shown, a failure with its next step', async () => {
  const { element } = await open();
  element.choice = { ...element.choice, kind: 'openai-compatible' };
  element.test = { state: 'failed', error: { code: 'lm/auth', message: 'refused', next: 'check the key' } };
  await element.updateComplete;
  const notice = field<HTMLElement & { updateComplete: Promise<boolean> }>(element, 'vivarium-notice');
  await notice.updateComplete;
  expect(notice.shadowRoot?.querySelector('[role=alert]')?.textContent).toMatch(
    /refused.*check the key.*lm\/auth/su,
  );
});
