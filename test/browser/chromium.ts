import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const USUAL_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * Where Chromium is: `CHROMIUM_PATH`, or a usual place. Null where there is none, which is said aloud.
 * @throws {Error} where there is none and `REQUIRE_BROWSER` is set.
 */
export function chromiumPath(): string | null {
  const { CHROMIUM_PATH, REQUIRE_BROWSER } = process.env;
  const candidates = CHROMIUM_PATH === undefined ? USUAL_PATHS : [CHROMIUM_PATH];
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path !== undefined) return path;
  const reason = `there is no Chromium at ${candidates.join(', ')}`;
  if (REQUIRE_BROWSER) throw new Error(`REQUIRE_BROWSER is set, and ${reason}.`);
  process.stderr.write(
    `not covered: the dashboard in a browser: ${reason}; CHROMIUM_PATH names one\n`,
  );
  return null;
}

export function launch(executablePath: string): Promise<Browser> {
  // As in a container, where Chromium's own sandbox has no rights; it opens pages of this test only.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
