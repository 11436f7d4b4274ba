import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { openTestService, type TestService } from '../server/service.fixture.ts';
import { chromiumPath, launch } from './chromium.ts';

const path = chromiumPath();
const inBrowser = path === null ? describe.skip : describe;
const PASSWORD = 'correct horse battery';

inBrowser('signing in', () => {
  let browser: Browser;
  let opened: TestService;
  let page: Page;
  let url: string;

  beforeAll(async () => {
    [browser, opened] = await Promise.all([
      launch(path!),
      openTestService({ access: { mode: 'users' } }),
    ]);
    await opened.app.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(opened.app.server.address() as AddressInfo).port}`;
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser.close();
    await opened.close();
  });

  test('begins with the link that the service prints, once', async () => {
    await page.goto(url);
    await page.getByText('There is nobody who could log in yet').waitFor();
    const secret = opened.service.access.setupLink.issue()!;
    await page.goto(`${url}/setup#${secret}`);
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByLabel('Password again').fill('something else');
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByText('The two passwords are not the same.').waitFor();
    await page.getByLabel('Password again').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.getByRole('heading', { name: 'There are no streams yet' }).waitFor();
    await page.getByRole('link', { name: 'Admin' }).waitFor();
  });

  test('lets changes through, and remembers how a user wants to see things', async () => {
    await page.goto(`${url}/settings`);
    await page.getByLabel('Dark').check();
    await page.getByText('New token').click();
    await page.getByLabel('Name', { exact: true }).fill('logger');
    await page.getByRole('button', { name: 'Make the token' }).click();
    const token = await page.locator('.note.good code').innerText();
    await page.getByRole('cell', { name: 'logger' }).waitFor();
    const answer = await fetch(`${url}/api/v1/streams`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(200);
  });

  test('ends with logging out, and a wrong password is said to be wrong', async () => {
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    // Another browser knows nothing yet of how ada wants to see things.
    const other = await browser.newPage({ colorScheme: 'light' });
    await other.goto(`${url}/settings`);
    await other.getByLabel('Name').fill('ada');
    await other.getByLabel('Password').fill('wrong');
    await other.getByRole('button', { name: 'Log in' }).click();
    await other.getByRole('alert').waitFor();
    await other.getByLabel('Password').fill(PASSWORD);
    await other.getByRole('button', { name: 'Log in' }).click();
    await other.getByRole('heading', { name: 'Settings' }).waitFor();
    await other.locator('html[data-theme="dark"]').waitFor();
    expect(new URL(other.url()).pathname).toBe('/settings');
    await other.close();
  });

  test('is asked for again when the session is over', async () => {
    const again = await browser.newPage();
    await again.goto(url);
    await again.getByLabel('Name').fill('ada');
    await again.getByLabel('Password').fill(PASSWORD);
    await again.getByRole('button', { name: 'Log in' }).click();
    await again.getByRole('heading', { name: 'There are no streams yet' }).waitFor();
    await again.context().clearCookies();
    await again.getByRole('link', { name: 'Dashboards' }).click();
    await again.getByRole('heading', { name: 'Log in' }).waitFor();
    await again.close();
  });
});
