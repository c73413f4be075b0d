import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { StampedEvent } from '../telemetry/index.ts';
import { defineElements } from './define.ts';
import type { VivariumCorrelationPlot } from './vivarium-correlation-plot.ts';
import type { VivariumElement } from './vivarium-element.ts';
import type { VivariumEventLog } from './vivarium-event-log.ts';
import type { VivariumNotice } from './vivarium-notice.ts';
import type { VivariumOutcome } from './vivarium-outcome.ts';
import type { VivariumScatterPlot } from './vivarium-scatter-plot.ts';
import type { StatusFact, VivariumStatus } from './vivarium-status.ts';

beforeAll(() => defineElements());
afterEach(() => document.body.replaceChildren());

async function open<T extends VivariumElement>(tag: string, fields: Partial<T>): Promise<T> {
  const element = Object.assign(document.createElement(tag), fields) as unknown as T;
  document.body.append(element);
  await element.updateComplete;
  return element;
}

const text = (element: VivariumElement, selector: string): string =>
  (element.renderRoot.querySelector(selector)?.textContent ?? '').replaceAll(/\s+/gu, ' ').trim();

test('defining twice is harmless', async () => {
  await defineElements();
  expect(customElements.get('vivarium-notice')).toBeDefined();
});

test('each element brings the tokens, and a page overrides them plainly', async () => {
  const element = await open<VivariumNotice>('vivarium-notice', { notice: { message: 'x' } });
  expect(getComputedStyle(element).getPropertyValue('--vivarium-space-4')).toBe('1rem');
  document.documentElement.style.setProperty('--vivarium-space-4', '2rem');
  expect(getComputedStyle(element).getPropertyValue('--vivarium-space-4')).toBe('2rem');
  document.documentElement.style.removeProperty('--vivarium-space-4');
});

describe('notice', () => {
  test('an error alerts with message, next step and code; text is never markup', async () => {
    const notice = { code: 'a/b', message: '<img src=x>', next: 'do that', fields: { row: 3 } };
    const element = await open<VivariumNotice>('vivarium-notice', { notice });
    expect(text(element, '[role=alert]')).toContain('Error: <img src=x>');
    expect(text(element, '.next')).toBe('do that');
    expect(text(element, 'pre')).toBe('{ "row": 3 }');
    expect(element.renderRoot.querySelector('img')).toBeNull();
  });

  /** What each live region said whenever it changed, itself being there before. */
  function listen(element: VivariumElement): string[] {
    const heard: string[] = [];
    for (const region of element.renderRoot.querySelectorAll('[role]'))
      new MutationObserver(() => {
        const words = (region.textContent ?? '').replaceAll(/\s+/gu, ' ').trim();
        if (words !== '') heard.push(`${region.role}: ${words}`);
      }).observe(region, { childList: true, characterData: true, subtree: true });
    return heard;
  }

  test('a new notice has its live regions before its words', async () => {
    const element = Object.assign(document.createElement('vivarium-notice') as VivariumNotice, {
      notice: { message: 'broken' },
    });
    document.body.append(element);
    await new Promise(requestAnimationFrame);
    const regions = [...element.renderRoot.querySelectorAll('[role]')];
    expect(regions.map(({ role, textContent }) => [role, textContent?.trim()])).toEqual([
      ['alert', ''],
      ['status', ''],
    ]);
    const heard = listen(element);
    await element.updateComplete;
    expect(heard).toEqual(['alert: Error: broken']);
    expect([...element.renderRoot.querySelectorAll('[role]')]).toEqual(regions);
  });

  test('one that stays announces what it is given, each level in its own region, and takes no place when it is empty', async () => {
    const element = await open<VivariumNotice>('vivarium-notice', {});
    document.body.style.display = 'grid';
    document.body.append(document.createElement('p'));
    expect(element.getBoundingClientRect().height).toBe(0);
    expect(getComputedStyle(element).position).toBe('absolute');
    const heard = listen(element);
    element.notice = { message: 'broken' };
    await element.updateComplete;
    expect(getComputedStyle(element).position).toBe('static');
    Object.assign(element, { level: 'info', notice: { message: 'restarted' } });
    await element.updateComplete;
    expect(heard).toEqual(['alert: Error: broken', 'status: Note: restarted']);
    document.body.removeAttribute('style');
  });

  test('a quiet one shows and is no live region', async () => {
    const element = await open<VivariumNotice>('vivarium-notice', {
      isQuiet: true,
      notice: { message: 'broken before' },
    });
    expect(text(element, '.box')).toContain('broken before');
    expect(element.renderRoot.querySelector('[role]')).toBeNull();
  });

  test('its action is a button that says so', async () => {
    const element = await open<VivariumNotice>('vivarium-notice', {
      notice: { message: 'x' },
      action: 'Try again',
    });
    const fired: string[] = [];
    element.addEventListener('notice-action', ({ type }) => fired.push(type));
    const button = element.renderRoot.querySelector<HTMLButtonElement>('button.action');
    expect(button?.textContent).toBe('Try again');
    button?.click();
    expect(fired).toEqual(['notice-action']);
  });
});

describe('outcome', () => {
  test('progress is polite, and a failure alerts', async () => {
    const element = await open<VivariumOutcome>('vivarium-outcome', {
      outcome: { state: 'running', stage: 'Python runs' },
    });
    expect(text(element, '[role=status]')).toBe('Python runs');
    element.outcome = {
      state: 'failed',
      error: { code: 'a/b', message: 'broken' },
      attempts: [{ code: 'x', error: 'e' }],
    };
    await element.updateComplete;
    expect(element.renderRoot.querySelector('vivarium-notice')).not.toBeNull();
    expect(element.renderRoot.querySelector<HTMLDetailsElement>('details')?.open).toBe(true);
  });

  test('a new failure is announced; one that was read back is shown only, with its time', async () => {
    const element = await open<VivariumOutcome>('vivarium-outcome', { outcome: { state: 'idle' } });
    const notices = (): VivariumNotice[] => [
      ...element.renderRoot.querySelectorAll<VivariumNotice>('vivarium-notice'),
    ];
    const shown = async (): Promise<readonly (readonly [boolean, string])[]> => {
      await element.updateComplete;
      await Promise.all(notices().map((notice) => notice.updateComplete));
      return notices()
        .filter(({ notice }) => notice !== undefined)
        .map((notice) => [
          notice.renderRoot.querySelector('[role=alert]') !== null,
          text(notice, '.message'),
        ]);
    };
    const region = notices()[0]?.renderRoot.querySelector('[role=alert]');
    expect(region).not.toBeNull();
    const error = { code: 'a/b', message: 'broken' };
    element.outcome = { state: 'failed', error };
    expect(await shown()).toEqual([[true, 'Error: broken']]);
    // the region that was there before anything failed
    expect(region?.textContent).toContain('broken');

    element.outcome = { state: 'failed', error, restoredAtMs: 0 };
    expect(await shown()).toEqual([[false, 'Error: broken']]);
    expect(element.renderRoot.querySelector('time')?.dateTime).toBe('1970-01-01T00:00:00.000Z');
  });

  test('an answer that was read back is not in the live region', async () => {
    const element = await open<VivariumOutcome>('vivarium-outcome', {
      outcome: { state: 'done', answer: 'seven', restoredAtMs: 5 },
    });
    expect(text(element, '[role=status]')).toBe('');
    expect(text(element, '[data-part=answer]')).toBe('seven');
    element.outcome = { state: 'done', answer: 'eight' };
    await element.updateComplete;
    expect(text(element, '[role=status]')).toBe('eight');
  });

  test('what a model or Python wrote is text', async () => {
    const hostile = '<script>alert(1)</script><b>';
    const element = await open<VivariumOutcome>('vivarium-outcome', {
      outcome: { state: 'done', answer: hostile, code: hostile, stdout: hostile, result: hostile },
    });
    for (const part of ['answer', 'code', 'stdout', 'result'])
      expect(text(element, `[data-part=${part}]`)).toBe(hostile);
    expect(element.renderRoot.querySelector('script, b')).toBeNull();
  });
});

describe('event log', () => {
  const events: readonly StampedEvent[] = Array.from({ length: 1_000 }, (_, at) => ({
    type: at % 2 === 0 ? 'note' : 'module-stop',
    text: `n${at}`,
    module: `m${at}`,
    atMs: at,
  })) as readonly StampedEvent[];

  test('the last events are drawn, the end is in sight, and types filter', async () => {
    const element = await open<VivariumEventLog>('vivarium-event-log', { events });
    expect(element.renderRoot.querySelectorAll('li')).toHaveLength(300);
    const list = element.renderRoot.querySelector('ol') as HTMLElement;
    expect(list.scrollHeight - list.scrollTop - list.clientHeight).toBeLessThan(2);
    element.filter = 'module';
    await element.updateComplete;
    expect(element.renderRoot.querySelectorAll('[data-type=note]')).toHaveLength(0);
    expect(element.renderRoot.querySelectorAll('[data-type=module-stop]')).toHaveLength(300);
  });

  test('a reader who scrolled up is left there', async () => {
    const element = await open<VivariumEventLog>('vivarium-event-log', { events });
    const list = element.renderRoot.querySelector('ol') as HTMLElement;
    list.scrollTop = 0;
    element.events = [...events, { type: 'note', text: 'new', atMs: 1 }];
    await element.updateComplete;
    expect(list.scrollTop).toBe(0);
  });
});

describe('plots', () => {
  test('the matrix is drawn and is a table for readers', async () => {
    const element = await open<VivariumCorrelationPlot>('vivarium-correlation-plot', {
      labels: ['a', 'b'],
      matrix: [
        [1, -0.5],
        [-0.5, 1],
      ],
    });
    expect(element.renderRoot.querySelectorAll('svg rect')).toHaveLength(4);
    expect(
      [...element.renderRoot.querySelectorAll('[data-part=matrix] td')].map((cell) => cell.textContent),
    ).toEqual(['', '1.00', '-0.50', '-0.50', '1.00']);
  });

  test('one column makes no matrix', async () => {
    const element = await open<VivariumCorrelationPlot>('vivarium-correlation-plot', {
      labels: ['a'],
      matrix: [[1]],
    });
    expect(element.renderRoot.querySelector('svg')).toBeNull();
  });

  test('groups have colours and shapes; very many points are thinned and that is said', async () => {
    const points = Array.from({ length: 10_000 }, (_, at) => ({
      x: at,
      y: at % 7,
      group: at % 2 ? 'odd' : 'even',
    }));
    const element = await open<VivariumScatterPlot>('vivarium-scatter-plot', {
      points,
      xLabel: 'x',
      yLabel: 'y',
    });
    expect(text(element, 'figcaption')).toBe('Every 3th of 10,000 rows is drawn.');
    expect(element.renderRoot.querySelectorAll('.legend li')).toHaveLength(2);
    expect(element.renderRoot.querySelector('[role=img]')?.getAttribute('aria-label')).toBe(
      'Scatter plot of y against x, 10000 rows',
    );
  });
});

test('a fact says its level in words', async () => {
  const element = await open<VivariumStatus>('vivarium-status', {
    facts: [{ name: 'Storage', value: 'Memory only', level: 'error' }],
  });
  expect(text(element, '.fact')).toContain('Memory only (failed)');
});

test('a change of level is announced, a new figure is not', async () => {
  const used = (value: string): StatusFact => ({ name: 'Used', value, level: 'ok' });
  const element = await open<VivariumStatus>('vivarium-status', {
    facts: [{ name: 'Python', value: 'Starting', level: 'unknown' }, used('1 MB')],
  });
  element.facts = [{ name: 'Python', value: 'Starting', level: 'unknown' }, used('2 MB')];
  await element.updateComplete;
  expect(text(element, '[role=status]')).toBe('');
  element.facts = [{ name: 'Python', value: 'Ready in its sandbox', level: 'ok' }, used('2 MB')];
  await element.updateComplete;
  expect(text(element, '[role=status]')).toBe('Python: Ready in its sandbox (good)');
});
