import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openTestService, type TestService } from '../server/service.fixture.ts';
import { chromiumPath, launch } from './chromium.ts';

const path = chromiumPath();
const inBrowser = path === null ? describe.skip : describe;
const SECOND_MS = 1000;
const AGE_MS = 59 * 60 * SECOND_MS;
const DEFINITION = { valueDownsamplers: ['count'], highestGranularity: 'seconds' };

/** Texts of rows that are cut off, or stand beyond the edge of their row. */
const CUT_TEXTS = `[...document.querySelectorAll('.stream-row')].flatMap((row) =>
  [...row.querySelectorAll('.value, .when, .when *')]
    .filter((part) => part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0 ||
      part.getBoundingClientRect().right > row.getBoundingClientRect().right ||
      part.getBoundingClientRect().left < row.getBoundingClientRect().left)
    .map((part) => part.textContent))`;

inBrowser('the list of streams in a browser', () => {
  let browser: Browser;
  let opened: TestService;
  let page: Page;

  beforeAll(async () => {
    [browser, opened] = await Promise.all([launch(path!), openTestService()]);
    const { datastream } = opened.service;
    const latestMs = Date.now() - AGE_MS;
    const add = async (title: string, unit: string, value: number): Promise<void> => {
      const tags = { title, unit };
      const id = await datastream.ensureStream({ title }, { ...DEFINITION, tags });
      const timestamps = Float64Array.from({ length: 10 }, (_, n) => latestMs + n * SECOND_MS);
      await datastream.appendColumns(id, { timestamps, values: timestamps.map(() => value) });
    };
    await add('Waiting', 's/request', 0.000_564_123);
    await add('Packets', 'packets', 5_687_061_827);
    const mesh = await datastream.ensureStream(
      { title: 'Mesh' },
      { ...DEFINITION, valueType: 'graph' },
    );
    const v = Array.from({ length: 9 }, (_, n) => ({ i: `n${n}` }));
    const e = Array.from({ length: 12 }, (_, n) => ({ f: `n${n % 9}`, t: `n${(n * 4 + 1) % 9}` }));
    await datastream.append(mesh, { v, e }, latestMs);
    await opened.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = opened.app.server.address() as AddressInfo;
    page = await browser.newPage({ baseURL: `http://127.0.0.1:${port}` });
  });
  afterAll(async () => {
    await browser.close();
    await opened.close();
  });

  test.each([380, 768, 780, 1000, 1030, 1100, 1400])(
    'shows whole texts at %d px',
    async (width) => {
      await page.setViewportSize({ width, height: 800 });
      await page.goto('/');
      await page.getByText('0.000564 s/request').waitFor();
      await page.getByText('9 vertices, 12 edges').waitFor();
      await page.getByText('5.687 G packets').waitFor();
      expect(await page.getByText('stale', { exact: true }).count()).toBe(3);
      expect(await page.evaluate(CUT_TEXTS)).toEqual([]);
      expect(await page.getByText('5.687 G packets').getAttribute('title')).toBe(
        '5687061827 packets',
      );
    },
  );
});
