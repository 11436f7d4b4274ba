import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openTestService } from '../server/service.fixture.ts';
import { chromiumPath, launch } from './chromium.ts';

const path = chromiumPath();
const inBrowser = path === null ? describe.skip : describe;

inBrowser('a page whose service goes away', () => {
  test('says so, and has everything when it is back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'datastream-browser-'));
    const store = { store: `embedded:${folder}` };
    const browser = await launch(path!);
    const first = await openTestService(store);
    const id = await first.service.datastream.ensureStream(
      { sensor: 'a' },
      {
        tags: { title: 'Level' },
        valueDownsamplers: ['mean'],
        highestGranularity: 'seconds',
      },
    );
    const startMs = Date.now() - 60_000;
    await first.service.datastream.append(id, 1, startMs);
    await first.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = first.app.server.address() as AddressInfo;
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${port}/streams/${id}`);
    await page.locator('.headline-value', { hasText: '1' }).waitFor();
    await page.locator('.live-badge.live').waitFor();
    await first.close();
    await page.locator('.live-badge.reconnecting, .live-badge.polling').waitFor();

    const second = await openTestService(store);
    const { datastream } = second.service;
    for (const [row, value] of [2, 3, 4].entries()) {
      await datastream.append(id, value, startMs + (row + 1) * 10_000);
    }
    await second.app.listen({ host: '127.0.0.1', port });
    await page.locator('.headline-value', { hasText: '4' }).waitFor({ timeout: 60_000 });
    await page.getByText('Newest datapoints as a table').click();
    const values = page.locator('tbody td.number');
    await values.nth(3).waitFor();
    expect(await values.allInnerTexts()).toEqual(['4', '3', '2', '1']);

    await browser.close();
    await second.close();
    rmSync(folder, { recursive: true, force: true });
  });
});
