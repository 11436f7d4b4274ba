import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openTestService, type TestService } from '../server/service.fixture.ts';
import { chromiumPath, launch } from './chromium.ts';

const path = chromiumPath();
const inBrowser = path === null ? describe.skip : describe;

/** More than a page of the list, and than one connection follows. */
const STREAM_COUNT = 230;

inBrowser('more streams than are shown at once', () => {
  let browser: Browser;
  let opened: TestService;
  let page: Page;
  let url: string;
  let ids: readonly string[];

  beforeAll(async () => {
    [browser, opened] = await Promise.all([launch(path!), openTestService()]);
    ids = await fill(opened);
    await opened.app.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(opened.app.server.address() as AddressInfo).port}`;
    page = await browser.newPage({ baseURL: url, viewport: { width: 1000, height: 700 } });
  });
  afterAll(async () => {
    await browser.close();
    await opened.close();
  });

  const title = (number: number): string => `Meter ${String(number).padStart(3, '0')}`;
  const row = (number: number) => page.getByRole('listitem').filter({ hasText: title(number) });

  test('are all in the list, live down to the last one', async () => {
    await page.goto('/');
    await row(0).waitFor();
    await page.getByText('200+ streams', { exact: true }).waitFor();
    await scrollTo(row(STREAM_COUNT - 1));
    await page.getByText(`${STREAM_COUNT} streams`, { exact: true }).waitFor();
    expect(await page.locator('.stream-row').count()).toBeLessThan(60);
    await page.locator('.live-badge.live').waitFor();
    await opened.service.datastream.append(ids.at(-1)!, 777, Date.now());
    await row(STREAM_COUNT - 1)
      .getByText('777 W')
      .waitFor();
  });

  test('become more in a list that is open, and fewer', async () => {
    const { datastream } = opened.service;
    const added = await newMeter(opened, STREAM_COUNT);
    await page
      .getByText(`${STREAM_COUNT + 1} streams`, { exact: true })
      .waitFor({ timeout: 30_000 });
    await scrollTo(row(STREAM_COUNT));
    await page.locator('.live-badge.live').waitFor();
    await datastream.deleteStreams({ stream_id: added });
    await page.getByText(`${STREAM_COUNT} streams`, { exact: true }).waitFor({ timeout: 30_000 });
    expect(await row(STREAM_COUNT).count()).toBe(0);
    // The place in the list is kept.
    expect(await row(STREAM_COUNT - 1).count()).toBe(1);
  });

  test('have charts, of which those in sight are drawn', async () => {
    await page.goto('/charts');
    await page.getByText(`${STREAM_COUNT} charts`, { exact: true }).waitFor();
    const chart = (number: number) => page.getByRole('region', { name: title(number) });
    await chart(0).locator('.legend .level').waitFor();
    expect(await page.locator('.plot canvas').count()).toBeLessThan(12);
    await chart(STREAM_COUNT - 1).scrollIntoViewIfNeeded();
    await chart(STREAM_COUNT - 1)
      .locator('.legend .level')
      .waitFor();
    expect(await page.locator('.plot canvas').count()).toBeLessThan(12);
    await page.locator('.live-badge.live').waitFor();
    await opened.service.datastream.append(ids.at(-1)!, 888, Date.now());
    await chart(STREAM_COUNT - 1)
      .getByText('888 W')
      .waitFor();
  });

  test('have a chart as soon as somebody creates one, with no code', async () => {
    await newMeter(opened, 999);
    const chart = page.getByRole('region', { name: title(999) });
    await chart.waitFor({ state: 'attached', timeout: 30_000 });
    await chart.scrollIntoViewIfNeeded();
    await chart.locator('.legend .level').waitFor();
  });

  test('are followed as far as one connection goes, which is said, and asked for beyond', async () => {
    const answer = await fetch(`${url}/api/v1/dashboards`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'All meters',
        content: { charts: [{ title: 'Together', streams: ids.slice(0, 160) }] },
      }),
    });
    const { id } = (await answer.json()) as { id: string };
    await page.goto(`/dashboards/${id}`);
    await page.getByText('150 of 160 streams live', { exact: true }).waitFor();
    const line = page.getByRole('button', { name: new RegExp(`^${title(155)}`) });
    await line.getByText(/ W/).waitFor();
    await opened.service.datastream.append(ids[155]!, 999, Date.now());
    await line.getByText('999 W').waitFor({ timeout: 30_000 });
  });

  test('are exported together: a picture, one table, JSON, and the addresses of each', async () => {
    const answer = await fetch(`${url}/api/v1/dashboards`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'Two meters',
        content: { charts: [{ title: 'Pair', streams: ids.slice(7, 9) }] },
      }),
    });
    const { id } = (await answer.json()) as { id: string };
    await page.goto(`/dashboards/${id}?window=all`);
    const chart = page.getByRole('region', { name: 'Pair' });
    await chart.locator('.legend .level').nth(1).waitFor();
    const saved = async (name: string): Promise<Buffer> => {
      if ((await chart.locator('.menu[open]').count()) === 0) {
        await chart.locator('.menu > summary').click();
      }
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        chart.locator('.menu-items').getByText(name, { exact: true }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/^Pair\./);
      return readFileSync(await download.path());
    };
    expect((await saved('PNG picture')).subarray(1, 4).toString()).toBe('PNG');
    const [head, ...lines] = (await saved('CSV table')).toString().trim().split('\r\n');
    expect(head).toBe(`time,${title(7)},${title(8)}`);
    expect(lines.map((line) => line.split(',').slice(1).map(Number))).toEqual([
      [7, 8],
      [8, 9],
      [9, 10],
    ]);
    const { series } = JSON.parse((await saved('JSON')).toString());
    expect(series.map(({ stream }: { stream: string }) => stream)).toEqual(ids.slice(7, 9));
    const link = chart.getByRole('link', { name: `API: ${title(8)}` });
    const told = (await (await fetch((await link.getAttribute('href'))!)).json()) as {
      datapoints: readonly { v: number }[];
    };
    expect(told.datapoints.map(({ v }) => v)).toEqual(series[1].values);
    await page.keyboard.press('Escape');
    expect(await chart.locator('.menu[open]').count()).toBe(0);
  });

  /** As somebody with a wheel: the list reads more as its end comes near. */
  async function scrollTo(target: ReturnType<typeof row>): Promise<void> {
    for (let count = 0; count < 100 && (await target.count()) === 0; count++) {
      await page.mouse.wheel(0, 3000);
      await page.waitForTimeout(50);
    }
    await target.waitFor();
  }
});

function newMeter({ service }: TestService, number: number): Promise<string> {
  return service.datastream.ensureStream(
    { meter: number },
    {
      tags: {
        title: `Meter ${String(number).padStart(3, '0')}`,
        unit: 'W',
        visualization: { type: 'line' },
      },
      valueDownsamplers: ['mean', 'min', 'max', 'count'],
      highestGranularity: 'seconds',
    },
  );
}

async function fill(opened: TestService): Promise<readonly string[]> {
  const nowMs = Date.now();
  const ids: string[] = [];
  for (let number = 0; number < STREAM_COUNT; number++) {
    const id = await newMeter(opened, number);
    const timestamps = Float64Array.of(3, 2, 1).map((minutes) => nowMs - minutes * 60_000);
    const values = Float64Array.of(number, number + 1, number + 2);
    await opened.service.datastream.appendColumns(id, { timestamps, values });
    ids.push(id);
  }
  return ids;
}
