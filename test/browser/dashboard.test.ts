import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { accessibilityProblems } from './accessibility.ts';
import { chromiumPath, launch } from './chromium.ts';
import { openDashboard, type TestDashboard } from './dashboard.fixture.ts';
import { untilTrue } from './until.ts';

const path = chromiumPath();
const inBrowser = path === null ? describe.skip : describe;

inBrowser('the dashboard in a browser', () => {
  let browser: Browser;
  let dashboard: TestDashboard;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    [browser, dashboard] = await Promise.all([launch(path!), openDashboard()]);
  });
  afterAll(async () => {
    await browser.close();
    await dashboard.close();
  });
  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext({ baseURL: dashboard.url, timezoneId: 'Europe/Paris' });
    page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      const isLoading = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isLoading) complaints.push(message.text());
    });
  });
  afterEach(async () => {
    await context.close();
    // What the content security policy refuses is an error on the console, too.
    expect(complaints).toEqual([]);
  });

  const plot = () => page.getByRole('application', { name: /Cellar temperature/ });
  const level = () => page.locator('.legend .level');

  test('lists streams with their last values, and finds them by tags', async () => {
    await page.goto('/');
    const row = page.getByRole('listitem').filter({ hasText: 'Cellar temperature' });
    await row.getByText(/°C$/).waitFor();
    await row.locator('.sparkline circle').waitFor();
    expect(await page.locator('.stream-row').count()).toBe(3);
    await page.getByRole('searchbox').fill('sensor=door');
    await page.getByText('1 stream', { exact: true }).waitFor();
    expect(await page.locator('.stream-row').innerText()).toContain('closed');
    expect(page.url()).toContain('q=sensor%3Ddoor');
  });

  test('draws a stream, and zooms until raw datapoints and back', async () => {
    await page.goto('/');
    await page.getByRole('link', { name: 'Cellar temperature' }).click();
    await page.getByRole('heading', { name: 'Cellar temperature' }).waitFor();
    await level().filter({ hasText: 'minutes' }).waitFor();
    await untilTrue(page, `${INK} > 100`);
    const before = await level().innerText();
    for (let count = 0; count < 6; count++) {
      if ((await level().innerText()) === 'raw') break;
      const box = (await page.locator('.u-over').boundingBox())!;
      await page.mouse.move(box.x + box.width * 0.6, box.y + 50);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.75, box.y + 60, { steps: 4 });
      const shown = page.url();
      await page.mouse.up();
      await page.waitForURL((url) => url.href !== shown);
      await page.locator('.plot:not(.loading)').waitFor();
    }
    expect(await level().innerText()).toBe('raw');
    const back = page.getByRole('button', { name: 'Back' });
    while (await back.isEnabled()) await back.click();
    await level().filter({ hasText: before }).waitFor();
  });

  test('goes along with keys, and keeps the window in the address', async () => {
    await page.goto(`/streams/${dashboard.ids.temperature}?window=hour`);
    await level().waitFor();
    await plot().focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL(/start=\d+&end=\d+/);
    const span = new URL(page.url()).searchParams;
    expect(Number(span.get('end')) - Number(span.get('start'))).toBeCloseTo(3_600_000, -3);
    await page.reload();
    await page.getByRole('button', { name: 'Go live' }).click();
    await page.waitForURL(/window=hour/);
  });

  test('offers no window that is longer than the history', async () => {
    await page.goto(`/streams/${dashboard.ids.temperature}`);
    const presets = page.locator('.segmented button');
    await presets.first().waitFor();
    const offered = await presets.evaluateAll((buttons) =>
      buttons.map((button) => [button.textContent, button.matches(':enabled')]),
    );
    expect(offered).toEqual([
      ['hour', true],
      ['day', true],
      ['week', false],
      ['month', false],
      ['year', false],
      ['all', true],
    ]);
    expect(await presets.nth(3).getAttribute('title')).toBe(
      'There is less than one month of history: all shows it',
    );
    await page.goto(`/streams/${dashboard.ids.rate}`);
    await page.locator('.segmented button:enabled', { hasText: 'all' }).waitFor();
  });

  test('shows a datapoint that arrives, and rests while it is paused', async () => {
    await page.goto(`/streams/${dashboard.ids.temperature}?window=hour`);
    await level().waitFor();
    const { datastream } = dashboard.opened.service;
    await datastream.append(dashboard.ids.temperature, 77.25, Date.now());
    await page.locator('.headline-value', { hasText: '77.25 °C' }).waitFor({ timeout: 20_000 });
    await page.getByRole('button', { name: 'Pause' }).click();
    await datastream.append(dashboard.ids.temperature, 88.5, Date.now());
    await page.waitForTimeout(1500);
    expect(await page.locator('.headline-value').innerText()).toBe('77.25 °C');
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.locator('.headline-value', { hasText: '88.5 °C' }).waitFor({ timeout: 20_000 });
  });

  test('follows a derivation to the stream that it leads to', async () => {
    await page.goto('/derivations');
    await page.getByRole('link', { name: /Change of temperature/ }).click();
    await page.waitForURL(`**/streams/${dashboard.ids.rate}`);
    await page.getByRole('link', { name: 'Cellar temperature' }).click();
    await page.waitForURL(`**/streams/${dashboard.ids.temperature}`);
  });

  test('creates a stream, takes what the shown line sends, and deletes it after a question', async () => {
    await page.goto('/send');
    await page.getByLabel('Title').fill('Workshop');
    await page.getByLabel('Unit').fill('°C');
    await page.getByLabel('Value of sensor').fill('w1');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { name: 'Workshop is ready' }).waitFor();
    const line = await page.locator('.snippet pre').first().innerText();
    const [, url] = /curl (\S+)/.exec(line)!;
    const [, body] = /-d '(.*)'/.exec(line)!;
    const sent = await fetch(url!, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: body!,
    });
    expect(await sent.json()).toMatchObject({ accepted: 1 });
    await page.getByRole('button', { name: 'Create another' }).click();
    await page.getByLabel('Title').fill('Not the workshop');
    await page.getByLabel('Value of sensor').fill('w1');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByText('There is a stream with these tags already').waitFor();
    await page.goto('/?q=sensor%3Dw1');
    await page.getByRole('link', { name: 'Workshop', exact: true }).click();
    await page.locator('.headline-value', { hasText: '21.5 °C' }).waitFor();
    await page.getByRole('button', { name: 'Delete the stream' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the stream' }).click();
    await page.getByRole('heading', { name: 'Streams' }).waitFor();
    expect(await page.getByText('Workshop').count()).toBe(0);
  });

  test('shows a new value in the list as it arrives', async () => {
    await page.goto('/');
    const row = page.getByRole('listitem').filter({ hasText: 'Front door' });
    await row.getByText('closed').waitFor();
    await page.locator('.live-badge.live').waitFor();
    await dashboard.opened.service.datastream.append(dashboard.ids.door, 'ajar', Date.now());
    await row.getByText('ajar').waitFor();
    await row.getByText('now').waitFor();
  });

  test('draws charts by themselves, whose lines can be hidden', async () => {
    await page.goto('/charts');
    const chart = page.getByRole('region', { name: 'Cellar temperature' });
    await chart.locator('.legend .level').waitFor();
    await untilTrue(page, `${INK} > 100`);
    const line = chart.getByRole('button', { name: /^Cellar temperature/ });
    await line.click();
    await chart.locator('.legend-line[aria-pressed="false"]').waitFor();
    // Plots are drawn in the frame after the legend has changed.
    await untilTrue(page, `${INK} === 0`);
    await chart.getByText('All lines are hidden').waitFor();
  });

  test('keeps dashboards that somebody puts together', async () => {
    await page.goto('/dashboards');
    await page.getByLabel('Name').fill('House');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByLabel('Cellar temperature').check();
    await page.getByLabel('Title of the chart').fill('Below');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('region', { name: 'Below' }).waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.goto('/dashboards');
    await page.getByRole('link', { name: 'House' }).click();
    await page.getByRole('region', { name: 'Below' }).locator('.level').waitFor();
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There are no dashboards yet').waitFor();
  });

  test('has charts of a search, which streams join as they are created', async () => {
    const { datastream } = dashboard.opened.service;
    await page.goto('/dashboards');
    await page.getByLabel('Name').fill('Barn');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByLabel('Of', { exact: true }).selectOption('search');
    await page.getByLabel('Search that the streams match').fill('site=barn');
    await page.getByText('No stream matches yet.').waitFor();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    const chart = page.getByRole('region', { name: 'site=barn' });
    await chart.getByText('No stream matches the search yet.').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole('button', { name: 'Done' }).click();
    for (const title of ['Hay', 'Straw']) {
      const id = await datastream.ensureStream(
        { title },
        {
          tags: { site: 'barn', unit: 't' },
          valueDownsamplers: ['mean'],
          highestGranularity: 'seconds',
        },
      );
      await datastream.append(id, 41.5, Date.now());
      await chart.getByRole('button', { name: new RegExp(`^${title}.*41.5 t`) }).waitFor();
    }
    await chart.getByRole('link', { name: '2 streams' }).click();
    await page.getByText('2 streams', { exact: true }).waitFor();
    expect(await page.locator('.stream-row').count()).toBe(2);
    await datastream.deleteStreams({ site: 'barn' });
    await page.goto('/dashboards');
    await page.getByRole('link', { name: 'Barn' }).click();
    await chart.getByText('No stream matches the search yet.').waitFor();
    await page.getByRole('button', { name: 'Change' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There are no dashboards yet').waitFor();
  });

  test('opens dashboards that were kept before charts could be of a search', async () => {
    const { state } = dashboard.opened.service;
    state.dashboards.insert({
      id: 'older',
      name: 'Older',
      ownerId: null,
      isShared: true,
      content: {
        charts: [{ title: 'Still here', streams: [dashboard.ids.temperature] }, {}, null],
      },
      createdAtMs: 0,
      updatedAtMs: 0,
    });
    await page.goto('/dashboards/older');
    await page.getByRole('region', { name: 'Still here' }).locator('.level').waitFor();
    expect(await page.locator('.chart-slot').count()).toBe(1);
    state.dashboards.remove('older');
  });

  test.each([
    ['numeric', 4],
    ['nominal', 'on'],
    ['graph', { v: [{ i: 'a' }, { i: 'b' }], e: [{ f: 'a', t: 'b' }] }],
  ] as const)(
    'says of a %s stream that it is gone, under an open page',
    async (valueType, value) => {
      const { datastream } = dashboard.opened.service;
      const title = `<b>${'name'.repeat(60)}</b>`;
      const id = await datastream.ensureStream(
        { gone: valueType },
        { tags: { title }, valueType, valueDownsamplers: ['count'], highestGranularity: 'seconds' },
      );
      await datastream.append(id, value, Date.now());
      await page.goto(`/streams/${id}`);
      await page.getByRole('heading', { name: title }).waitFor();
      await page.locator('.live-badge.live').waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
      if (valueType === 'graph')
        await page.locator('.panel-head .muted').getByText('1 edge').waitFor();
      await datastream.deleteStreams({ gone: valueType });
      await page.getByRole('heading', { name: 'There is no such stream' }).waitFor();
    },
  );

  test('says of a dashboard that it is not there', async () => {
    await page.goto('/dashboards/gone');
    await page.getByRole('heading', { name: 'There is no such dashboard' }).waitFor();
  });

  test('exports what is seen', async () => {
    await page.goto(`/streams/${dashboard.ids.temperature}`);
    await level().waitFor();
    const saved = async (name: string): Promise<Buffer> => {
      if ((await page.locator('.menu[open]').count()) === 0) {
        await page.locator('.menu > summary').click();
      }
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.locator('.menu-items').getByText(name, { exact: true }).click(),
      ]);
      return readFileSync(await download.path());
    };
    expect((await saved('PNG picture')).subarray(1, 4).toString()).toBe('PNG');
    expect((await saved('CSV table')).toString().split('\n').length).toBeGreaterThan(50);
    const json = JSON.parse((await saved('JSON')).toString());
    expect(json.datapoints.length).toBeGreaterThan(50);
  });

  test('shows times in the zone that somebody chooses', async () => {
    await page.goto('/settings');
    await page.getByLabel('Time zone').fill('Asia/Kolkata');
    await page.getByLabel('Time zone').press('Enter');
    await page.goto(`/streams/${dashboard.ids.door}`);
    await page.locator('.zone', { hasText: 'Asia/Kolkata' }).waitFor();
  });

  test('leads to a page of the API that is ours', async () => {
    await page.goto('/send');
    const [api] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('link', { name: 'All of the API' }).click(),
    ]);
    await api.locator('.opblock').first().waitFor();
    expect(await api.title()).toBe('datastream API');
    const sign = await api.locator('.topbar img').getAttribute('src');
    const drawing = Buffer.from(sign!.replace(/^data:image\/svg\+xml;base64,/, ''), 'base64');
    expect(drawing.toString()).toContain('>datastream API</text>');
    await api.getByRole('link', { name: 'Back to the dashboard' }).click();
    await api.getByRole('heading', { name: 'Streams' }).waitFor();
  });

  test('has pages that can be used without seeing, at every width and in both themes', async () => {
    const { temperature, door } = dashboard.ids;
    const paths = ['/', `/streams/${temperature}`, `/streams/${door}`, '/charts', '/derivations'];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const to of [...paths, '/send', '/dashboards', '/alerts', '/admin', '/settings']) {
        await page.setViewportSize({ width: colorScheme === 'dark' ? 390 : 1280, height: 800 });
        await page.goto(to);
        await page.locator('main :is(h1, h2)').first().waitFor();
        await page.getByText('Loading …').waitFor({ state: 'detached' });
        expect({ to, problems: await accessibilityProblems(page) }).toEqual({ to, problems: [] });
      }
    }
  });
});

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
