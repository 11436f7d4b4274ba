import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type ServiceProcess, startService } from '../server/operations/service-process.ts';
import { chromiumPath, launch } from './chromium.ts';
import { untilTrue } from './until.ts';

const path = chromiumPath();
const inBrowser = path === null ? describe.skip : describe;
const PASSWORD = 'correct horse battery';
const VALUE = `document.querySelector('.headline-value').innerText`;
const PICTURE = `document.querySelector('.plot canvas').toDataURL()`;

inBrowser('the first hour of somebody who has just started the service', () => {
  let folder: string;
  let service: ServiceProcess;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'datastream-first-hour-'));
    // As `npm start` starts it.
    service = await startService(`embedded:${folder}`, ['collect=true', 'log=error']);
    browser = await launch(path!);
    const context = await browser.newContext({ baseURL: service.address });
    page = await context.newPage();
  });
  afterAll(async () => {
    await browser.close();
    await service.end('SIGTERM');
    await rm(folder, { recursive: true, force: true });
  });

  test('begins with the printed link', async () => {
    while (service.setupLink() === null) await sleep(10);
    await page.goto(service.setupLink()!);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Password again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByRole('heading', { name: 'Streams', exact: true }).waitFor();
  });

  test('shows how this machine is, and charts of it that move', async () => {
    await page.getByRole('link', { name: 'uptime', exact: true }).click();
    await page.locator('.headline-value').waitFor();
    await page.locator('.plot canvas').waitFor();
    for (let round = 0; round < 2; round++) {
      const value = await page.evaluate(VALUE);
      const picture = await page.evaluate(PICTURE);
      await untilTrue(page, `${VALUE} !== ${JSON.stringify(value)}`);
      await untilTrue(page, `${PICTURE} !== ${JSON.stringify(picture)}`);
    }
  });

  test('has a feed of his own, filled by the line that is shown', async () => {
    await page.goto('/settings');
    await page.getByText('New token').click();
    await page.getByLabel('Name', { exact: true }).fill('logger');
    await page.getByRole('button', { name: 'Make the token' }).click();
    const token = await page.locator('.note.good code').innerText();
    await page.goto('/send');
    await page.getByLabel('Title').fill('Workshop');
    await page.getByLabel('Unit').fill('°C');
    await page.getByLabel('Value of sensor').fill('w1');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('heading', { name: 'Workshop is ready' }).waitFor();
    await page.getByLabel('Token').fill(token);
    const line = await page.locator('.snippet pre').first().innerText();
    const { stdout } = await promisify(execFile)('sh', ['-c', line]);
    expect(JSON.parse(stdout)).toMatchObject({ accepted: 1, dropped: 0 });
    await page.goto('/?q=sensor%3Dw1');
    await page.getByRole('link', { name: 'Workshop', exact: true }).click();
    await page.locator('.headline-value', { hasText: '21.5 °C' }).waitFor();
  });

  test('ends with logging out', async () => {
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.goto('/');
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
  });
});
