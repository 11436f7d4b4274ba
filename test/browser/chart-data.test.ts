import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { Datastream } from '../../src/api/datastream.ts';
import { openTestService, type TestService } from '../server/service.fixture.ts';
import { accessibilityProblems } from './accessibility.ts';
import { chromiumPath, launch } from './chromium.ts';
import { untilTrue } from './until.ts';

const path = chromiumPath();
const inBrowser = path === null ? describe.skip : describe;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Spring and autumn of Paris are within the following days. */
const SPRING_MS = Date.parse('2026-03-27T00:00:00Z');

inBrowser('what a chart draws', () => {
  let browser: Browser;
  let opened: TestService;
  let url: string;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    [browser, opened] = await Promise.all([launch(path!), openTestService()]);
    await opened.app.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(opened.app.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser.close();
    await opened.close();
  });
  beforeEach(async () => {
    complaints = [];
    page = await browser.newPage({ baseURL: url, timezoneId: 'Europe/Paris' });
    page.on('pageerror', (error) => complaints.push(String(error)));
  });
  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
  });

  const plot = () => page.locator('.u-over');
  const drawn = async (): Promise<void> => {
    await page.locator('.legend .level').waitFor();
    await page.locator('.plot:not(.loading)').waitFor();
  };

  test('is the mean and the extremes that the API gives, bucket for bucket', async () => {
    const values = (row: number): number => 100 + 50 * Math.sin(row / 9) + (row % 7);
    const count = 2 * 24 * 360;
    const id = await streamOf(opened.service.datastream, 'Mean', {
      startMs: SPRING_MS,
      stepMs: 10_000,
      values: Array.from({ length: count }, (_, row) => values(row)),
    });
    await page.goto(`/streams/${id}?window=all`);
    await drawn();
    const level = await page.locator('.legend .level').innerText();
    expect(level).not.toBe('raw');
    const answer = await fetch(
      `${url}/api/v1/streams/${id}/data?format=columns&live&granularity=${level}` +
        `&start=${new Date(SPRING_MS - DAY_MS).toISOString()}&limit=10000`,
    );
    const columns = (await answer.json()) as {
      timestamps: readonly number[];
      v: Readonly<Record<'m' | 'l' | 'u', readonly number[]>>;
    };
    const bucketMs = columns.timestamps[1]! - columns.timestamps[0]!;
    const box = (await plot().boundingBox())!;
    for (const part of [0.1, 0.33, 0.5, 0.77]) {
      await page.mouse.move(box.x + box.width * part, box.y + box.height / 2);
      const when = await page.locator('.legend-when:not(.muted)').innerText();
      const shownMs = Date.parse(`${when} GMT+0100`);
      const row = columns.timestamps.indexOf(shownMs - bucketMs / 2);
      expect({ when, isThere: row >= 0 }).toEqual({ when, isThere: true });
      const texts = (await page.locator('.legend-value').innerText()).match(/[\d.]+/g)!;
      const told = [columns.v.m, columns.v.l, columns.v.u].map((column) => column[row]!);
      expect(texts.map(Number)).toEqual(told.map((value) => Number(value.toPrecision(4))));
      // And what is on the canvas at that place is between the extremes, and not beside them.
      const band = await page.evaluate<readonly [number, number]>(inkRows(part));
      expect(band[1] - band[0]).toBeGreaterThan(0);
    }
  });

  test('has nothing where there are no datapoints, and says how much is missing', async () => {
    const values = Array.from({ length: 96 }, (_, hour) => (hour >= 40 && hour < 64 ? null : 5));
    const id = await streamOf(opened.service.datastream, 'Gap', {
      startMs: SPRING_MS - 10 * DAY_MS,
      stepMs: HOUR_MS,
      values,
    });
    await page.goto(`/streams/${id}?window=all`);
    await drawn();
    const [before, within, behind] = await Promise.all(
      [0.2, 0.55, 0.9].map((part) => page.evaluate<readonly [number, number]>(inkRows(part))),
    );
    expect([before![1] > 0, within![1] > 0, behind![1] > 0]).toEqual([true, false, true]);
    await page.getByText('1 gap, 1 d 1 h without data').click();
    await page.locator('.menu > summary').click();
    await page.getByText('Newest datapoints as a table').click();
    expect(await accessibilityProblems(page)).toEqual([]);
    const gap = page.locator('.gaps button');
    await gap.click();
    await page.waitForURL(/start=\d+&end=\d+/);
    const { searchParams } = new URL(page.url());
    const gapMs = SPRING_MS - 10 * DAY_MS + 40 * HOUR_MS;
    expect(Number(searchParams.get('start'))).toBeLessThan(gapMs);
    expect(Number(searchParams.get('end'))).toBeGreaterThan(gapMs + DAY_MS);
    // A press on a part of the strip goes to that part: an hour without any.
    await page.locator('.coverage rect.missing').first().click();
    await page.getByText('No datapoints in this window', { exact: true }).waitFor();
  });

  test('goes by the clock of the zone on a day of 23 hours', async () => {
    const id = await streamOf(opened.service.datastream, 'Spring', {
      startMs: SPRING_MS,
      stepMs: HOUR_MS,
      values: Array.from({ length: 96 }, (_, hour) => hour),
    });
    const dayMs = Date.parse('2026-03-28T23:00:00Z');
    await page.goto(`/streams/${id}?start=${dayMs}&end=${dayMs + 9 * HOUR_MS}`);
    await drawn();
    await page.getByText('Newest datapoints as a table').click();
    const times = await page.locator('tbody td:first-child').allInnerTexts();
    expect(times).toContain('29 Mar 2026 01:00:00');
    expect(times).not.toContain('29 Mar 2026 02:00:00');
    expect(times).toContain('29 Mar 2026 03:00:00');
    expect(await page.getByLabel('From').inputValue()).toBe('2026-03-29T00:00');
    expect(await page.getByLabel('To', { exact: true }).inputValue()).toBe('2026-03-29T10:00');
    // Typed times are times of the zone, too.
    await page.getByLabel('From').fill('2026-03-29T03:00:00');
    await page.waitForURL(new RegExp(`start=${dayMs + 2 * HOUR_MS}`));
  });

  test.each([
    ['no datapoint', [], 'No datapoints in this window', null],
    ['one datapoint', [42], null, '42'],
    ['no number', [null, null, null], null, '–'],
    ['numbers of 10^15', [1e15, 1e15 + 1e9, 1e15 + 3e9], null, '1.00e+15'],
    ['numbers of 10^300', [1e300, 2e300, 3e300], null, '3.00e+300'],
    ['small negative numbers', [-1e-9, -2e-9, -3e-9], null, '−3.00e−9'],
  ])('is whole for a stream of %s', async (name, values, note, last) => {
    const id = await streamOf(opened.service.datastream, name, {
      startMs: SPRING_MS,
      stepMs: 1000,
      values,
    });
    await page.goto(`/streams/${id}`);
    await drawn();
    if (note !== null) await page.getByText(note, { exact: true }).waitFor();
    if (last === null) return;
    await page.locator('.legend-value', { hasText: last }).waitFor();
    const isNumber = values.some((value) => value !== null);
    if (isNumber) expect(await page.evaluate(INK)).toBeGreaterThan(5);
  });

  test('is as fine as milliseconds', async () => {
    const id = await streamOf(opened.service.datastream, 'Fast', {
      startMs: SPRING_MS,
      stepMs: 7,
      values: Array.from({ length: 3000 }, (_, row) => row),
      highestGranularity: 'milliseconds',
    });
    await page.goto(`/streams/${id}?start=${SPRING_MS + 700}&end=${SPRING_MS + 900}`);
    await drawn();
    const box = (await plot().boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 40);
    await page.locator('.legend-when', { hasText: '27 Mar 2026 01:00:00.798' }).waitFor();
    expect(await page.locator('.legend-value').innerText()).toBe('114');
  });

  test('stands with others under one cursor, and states below it as they change', async () => {
    const { datastream } = opened.service;
    const startMs = Date.now() - HOUR_MS;
    const of = (title: string, values: readonly number[]) =>
      streamOf(datastream, title, { startMs, stepMs: 60_000, values });
    const rows = Array.from({ length: 50 }, (_, row) => row);
    const first = await of('First', rows);
    const second = await of(
      'Second',
      rows.map((row) => 100 + row),
    );
    const gate = await datastream.ensureStream(
      { title: 'Gate' },
      { valueType: 'nominal', valueDownsamplers: ['count'], highestGranularity: 'seconds' },
    );
    await datastream.append(gate, 'shut', startMs);
    const id = await saveDashboard(url, {
      charts: [
        { title: 'Above', streams: [first, gate] },
        { title: 'Below', streams: [second] },
      ],
    });
    await page.goto(`/dashboards/${id}?window=day`);
    const chart = (name: string) => page.getByRole('region', { name, exact: true });
    for (const name of ['Above', 'Below']) await chart(name).locator('.legend .level').waitFor();
    const box = (await chart('Above').locator('.u-over').boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.97, box.y + 40);
    const when = (name: string) => chart(name).locator('.legend-when:not(.muted)').innerText();
    expect(await when('Below')).toBe(await when('Above'));
    const value = async (name: string): Promise<number> =>
      Number((await chart(name).locator('.legend-value').innerText()).split(' ')[0]);
    expect(await value('Below')).toBe(100 + (await value('Above')));
    const states = chart('Above').getByRole('list', { name: /^States/ });
    await states.getByText('shut').waitFor();
    await page.locator('.live-badge.live').waitFor();
    await datastream.append(gate, 'ajar', Date.now() - 60_000);
    await states.getByText('ajar').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test('begins with the first datapoint that comes, and says whether values rise or fall', async () => {
    const { datastream } = opened.service;
    const id = await streamOf(datastream, 'Fresh', { startMs: 0, stepMs: 1, values: [] });
    await page.goto(`/streams/${id}`);
    await page.locator('.live-badge.live').waitFor();
    const startMs = Date.now() - 2000;
    const signs = ['no earlier value', 'rising', 'unchanged', 'falling'];
    for (const [row, value] of [9, 10, 10, -3].entries()) {
      await datastream.append(id, value, startMs + row);
      await page.locator('.page-head .direction', { hasText: signs[row]! }).waitFor();
    }
    const begin = await page.getByLabel('Begin of the window').getAttribute('aria-valuemin');
    expect(Number(begin)).toBeGreaterThan(startMs - 60_000);
  });

  test('lets the line stand out whose name is pointed at', async () => {
    const rows = Array.from({ length: 50 }, (_, row) => row);
    const of = (title: string, offset: number) =>
      streamOf(opened.service.datastream, title, {
        startMs: SPRING_MS,
        stepMs: 60_000,
        values: rows.map((row) => offset + row),
      });
    const streams = [await of('Lower', 0), await of('Upper', 200)];
    const content = { charts: [{ title: 'Pair', streams }] };
    await page.goto(`/dashboards/${await saveDashboard(url, content)}?window=all`);
    await page.locator('.legend .level').nth(1).waitFor();
    // The first line of a chart is blue; of the others, none is.
    await untilTrue(page, `${INK} > 100`);
    const whole = await page.evaluate<number>(INK);
    await page.getByRole('button', { name: /^Upper/ }).hover();
    await untilTrue(page, `${INK} === 0`);
    await page.getByRole('button', { name: /^Lower/ }).hover();
    await untilTrue(page, `${INK} === ${whole}`);
    await page.getByRole('button', { name: /^Upper/ }).hover();
    await untilTrue(page, `${INK} === 0`);
    await page.mouse.move(0, 0);
    await untilTrue(page, `${INK} === ${whole}`);
  });

  test('is drawn of a million raw datapoints, and zoomed down to each of them', async () => {
    const id = await streamOf(opened.service.datastream, 'Million', {
      startMs: SPRING_MS,
      stepMs: 1000,
      values: Array.from({ length: 1_000_000 }, (_, row) => row),
    });
    await page.goto(`/streams/${id}?window=all`);
    await drawn();
    expect(await page.locator('.legend .level').innerText()).not.toBe('raw');
    const box = (await plot().boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 80);
    await page.keyboard.down('Control');
    for (let count = 0; count < 25; count++) await page.mouse.wheel(0, -300);
    await page.keyboard.up('Control');
    await page.locator('.legend .level', { hasText: 'raw' }).waitFor();
    // Each datapoint is its own number: time and value belong together.
    // A plot that is made anew under the pointer, as another level comes, has no cursor until that moves.
    const hovered = page.locator('.legend-when:not(.muted)');
    for (let moves = 0; (await hovered.count()) === 0; moves++) {
      await page.mouse.move(box.x + box.width / 2 + 3 + (moves % 5), box.y + 80);
    }
    await page.getByText('Newest datapoints as a table').click();
    const cells = await page.locator('tbody tr').first().locator('td').allInnerTexts();
    // It is summer there.
    const row = (Date.parse(`${cells[0]} GMT+0200`) - SPRING_MS) / 1000;
    expect(Number(cells[1]!.replace(/\D/g, ''))).toBe(row);
  });
});

async function saveDashboard(url: string, content: object): Promise<string> {
  const answer = await fetch(`${url}/api/v1/dashboards`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Charts', content }),
  });
  return ((await answer.json()) as { id: string }).id;
}

async function streamOf(
  datastream: Datastream,
  title: string,
  {
    startMs,
    stepMs,
    values,
    highestGranularity = 'seconds',
  }: {
    readonly startMs: number;
    readonly stepMs: number;
    /** Null: no datapoint. Nothing but nulls: datapoints without a number. */
    readonly values: readonly (number | null)[];
    readonly highestGranularity?: string;
  },
): Promise<string> {
  const id = await datastream.ensureStream(
    { title },
    { valueDownsamplers: ['mean', 'min', 'max', 'count'], highestGranularity },
  );
  const isEmpty = values.every((value) => value === null);
  const rows = [...values.keys()].filter((row) => isEmpty || values[row] !== null);
  const timestamps = Float64Array.from(rows, (row) => startMs + row * stepMs);
  const column = Float64Array.from(rows, (row) => values[row] ?? Number.NaN);
  if (rows.length > 0) await datastream.appendColumns(id, { timestamps, values: column });
  await datastream.downsampleStreams();
  return id;
}

// What runs inside the page is text: the tests themselves know of no page.

/** Pixels of the chart that are in the colour of its line. */
const INK = `(() => {
  const canvas = document.querySelector('.plot canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 2] - data[at] > 80 && data[at + 3] > 200) count++;
  }
  return count;
})()`;

/** The first and the last row of pixels that are bluish at a part of the plot's width; both 0: there are none. */
function inkRows(part: number): string {
  return `(() => {
    const canvas = document.querySelector('.plot canvas');
    const over = document.querySelector('.u-over');
    const scale = canvas.width / canvas.clientWidth;
    const left = over.getBoundingClientRect().left - canvas.getBoundingClientRect().left;
    const x = Math.round((left + over.clientWidth * ${part}) * scale);
    const { data } = canvas.getContext('2d').getImageData(x, 0, 1, over.clientHeight * scale);
    const rows = [];
    for (let row = 0; row * 4 < data.length; row++) {
      const [red, , blue, alpha] = data.slice(row * 4, row * 4 + 4);
      if (alpha > 30 && blue - red > 60) rows.push(row);
    }
    return [rows[0] ?? 0, rows.at(-1) ?? 0];
  })()`;
}
