import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** What WCAG 2.1 AA does not allow of the page as it is now; each with the elements that it is about. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<readonly string[]>(PROBLEMS);
}

// What runs inside the page is text: the tests themselves know of no page.
const PROBLEMS = `
  axe
    .run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })
    .then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')),
    )`;
