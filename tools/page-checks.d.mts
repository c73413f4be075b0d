import type { Page } from 'playwright';

/** What can be used on a page, by its roles and names as the browser tells them. */
export function listControls(page: Page): Promise<{ role: string; name: string }[]>;

/** Text of too little contrast with what lies behind it, by the colours that the browser computed (WCAG 2.2, 1.4.3). */
export function findPaleText(page: Page): Promise<string[]>;
