import axe from 'axe-core';
import type { Page } from 'playwright-core';

// What runs inside the page is text: the tests themselves know of no page.

const IS_TOO_WIDE = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';

const ACCESSIBILITY_PROBLEMS = `
  axe
    .run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })
    .then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')),
    )`;

/** What keeps people from using the page as it is now; empty where nothing does. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const problems = await page.evaluate<readonly string[]>(ACCESSIBILITY_PROBLEMS);
  const isTooWide = await page.evaluate(IS_TOO_WIDE);
  return isTooWide ? [...problems, 'the page is wider than the window'] : problems;
}
