import { afterEach, beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { defineElements } from './define.ts';
import type { VivariumCodeEditor } from './vivarium-code-editor.ts';

beforeAll(() => defineElements());
afterEach(() => document.body.replaceChildren());

async function open(value: string): Promise<VivariumCodeEditor> {
  const element = document.createElement('vivarium-code-editor') as VivariumCodeEditor;
  element.value = value;
  element.label = 'Source';
  document.body.append(element);
  await element.updateComplete;
  return element;
}

const content = (element: VivariumCodeEditor): HTMLElement =>
  element.renderRoot.querySelector('.cm-content') as HTMLElement;

test('typing tells the text, and setting the text does not', async () => {
  const element = await open('const a = 1;');
  const changes: string[] = [];
  element.addEventListener('code-change', (event) => changes.push((event as CustomEvent<string>).detail));
  element.value = 'const b = 2;';
  await element.updateComplete;
  expect(content(element).textContent).toBe('const b = 2;');
  expect(changes).toEqual([]);
  content(element).focus();
  await userEvent.keyboard('x');
  expect(changes).toEqual(['xconst b = 2;']);
});

test('Tab leaves the editor', async () => {
  const element = await open('a');
  const after = document.createElement('button');
  document.body.append(after);
  content(element).focus();
  await userEvent.keyboard('{Tab}');
  expect(document.activeElement).toBe(after);
  expect(content(element).textContent).toBe('a');
});

test('a problem names its place and marks the line; a line that is not there does no harm', async () => {
  const element = await open('one\ntwo\nthree');
  element.problem = { message: 'unexpected', line: 2, column: 3 };
  await element.updateComplete;
  expect(element.renderRoot.querySelector('[role=alert]')?.textContent).toContain(
    'Line 2, column 3: unexpected',
  );
  expect(element.renderRoot.querySelector('.cm-wrong-line')?.textContent).toBe('two');
  element.problem = { message: 'far away', line: 99 };
  await element.updateComplete;
  expect(element.renderRoot.querySelector('.cm-wrong-line')).toBeNull();
});

test('it is named for screen readers, and read-only when asked', async () => {
  const element = await open('a');
  expect(content(element).getAttribute('aria-label')).toBe('Source');
  element.isReadonly = true;
  await element.updateComplete;
  content(element).focus();
  await userEvent.keyboard('x');
  expect(content(element).textContent).toBe('a');
});

test('it comes back after being moved', async () => {
  const element = await open('kept');
  element.remove();
  document.body.append(element);
  await element.updateComplete;
  expect(content(element).textContent).toBe('kept');
});
