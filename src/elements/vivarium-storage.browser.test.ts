import { afterEach, beforeAll, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { defineElements } from './define.ts';
import { unknownStorage } from './storage-view.ts';
import type { StorageAct, StorageView } from './storage-view.ts';
import type { VivariumStorage } from './vivarium-storage.ts';

beforeAll(() => defineElements());
afterEach(() => document.body.replaceChildren());

const ready: StorageView = {
  ...unknownStorage,
  level: 'ample',
  usageBytes: 2_500_000,
  quotaBytes: 1_000_000_000,
  isBusy: false,
  earliestMs: 0,
  snapshots: [{ name: 'monday', atMs: 1_000, sizeBytes: 12_000 }],
};

async function open(view: StorageView): Promise<{ element: VivariumStorage; acts: StorageAct[] }> {
  const element = document.createElement('vivarium-storage') as VivariumStorage;
  element.view = view;
  const acts: StorageAct[] = [];
  element.addEventListener('storage-act', (event) => acts.push((event as CustomEvent<StorageAct>).detail));
  document.body.append(element);
  await element.updateComplete;
  return { element, acts };
}

const found = (element: VivariumStorage, selector: string): HTMLElement =>
  element.renderRoot.querySelector(selector) as HTMLElement;

test('the room is said in words, and what to do when there is little or none', async () => {
  const { element } = await open(ready);
  const room = (): string => found(element, '[data-level]').textContent?.replaceAll(/\s+/gu, ' ') ?? '';
  expect(room()).toContain('2.5 MB of 1 GB used, less than 1 %.');
  expect(room()).toContain('may evict it');
  for (const level of ['low', 'full'] as const) {
    element.view = { ...ready, level };
    await element.updateComplete;
    const notice = found(element, '[data-level] vivarium-notice') as HTMLElement & {
      notice: { message: string };
    };
    expect(notice.notice.message).toContain('Delete snapshots');
  }
  element.view = { ...ready, isPersisted: true, usageBytes: undefined };
  await element.updateComplete;
  expect(room()).toContain('does not say');
  expect(room()).not.toContain('Ask to keep it');
});

test('every wish is an event, and none is while something is under way', async () => {
  const { element, acts } = await open(ready);
  await userEvent.fill(found(element, '#name'), '  tuesday ');
  await userEvent.keyboard('{Enter}');
  for (const label of ['Compare monday', 'Export monday', 'Delete monday'])
    found(element, `[aria-label="${label}"]`).click();
  await userEvent.fill(found(element, '#time'), '2026-11-22T12:00:05');
  await userEvent.keyboard('{Enter}');
  expect(acts).toEqual([
    { act: 'take', name: 'tuesday' },
    { act: 'preview', source: 'monday' },
    { act: 'export', name: 'monday' },
    { act: 'delete', name: 'monday' },
    { act: 'preview', source: new Date('2026-11-22T12:00:05').getTime() },
  ]);
  element.view = { ...ready, isBusy: true };
  await element.updateComplete;
  expect([...element.renderRoot.querySelectorAll('button')].filter(({ disabled }) => !disabled)).toEqual([]);
});

test('what a restore would change has the focus, as text, and gives it back', async () => {
  const { element, acts } = await open(ready);
  const changes = [{ what: 'tone', present: '<b>loud</b>', past: 'calm' }];
  element.view = { ...ready, preview: { source: 'monday', changes, total: 3 } };
  await element.updateComplete;
  const { activeElement } = element.renderRoot as ShadowRoot;
  expect(activeElement?.textContent?.trim()).toBe('Go back to “monday”?');
  const preview = found(element, '.preview');
  expect(preview.textContent).toContain('<b>loud</b>');
  expect(preview.textContent).toContain('2 more are not shown.');
  preview.querySelector<HTMLElement>('button.primary')?.click();
  expect(acts).toEqual([{ act: 'restore', source: 'monday' }]);
  element.view = ready;
  await element.updateComplete;
  expect((element.renderRoot as ShadowRoot).activeElement?.id).toBe('snapshots-title');
  element.view = { ...ready, preview: { source: 'monday', changes: [], total: 0 } };
  await element.updateComplete;
  expect(found(element, '.preview button.primary')).toHaveProperty('disabled', true);
});
