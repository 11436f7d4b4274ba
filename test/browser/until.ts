import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';

/**
 * Waits until the expression is true in the page; the test's own time limit bounds it. `page.waitForFunction` would
 * ask again by `eval`, which the content security policy of the pages refuses.
 */
export async function untilTrue(page: Page, expression: string): Promise<void> {
  while ((await page.evaluate(`Boolean(${expression})`)) !== true) await sleep(20);
}
