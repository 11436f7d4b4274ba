import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { OPERATOR } from '../../src/server/access/identity.ts';
import { openTestService, type TestService } from '../server/service.fixture.ts';
import { accessibilityProblems } from './accessibility.ts';
import { chromiumPath, launch } from './chromium.ts';
import { untilTrue } from './until.ts';

const path = chromiumPath();
const inBrowser = path === null ? describe.skip : describe;
const PASSWORD = 'correct horse battery';
const NEXT_PASSWORD = 'staple the battery';
const BY = { identity: OPERATOR, address: null };
const DEFINITION = { valueDownsamplers: ['mean', 'count'], highestGranularity: 'seconds' };

/** Says no to every request. */
async function refusingServer(): Promise<{ server: Server; url: string }> {
  const server = createServer((_request, response) => response.writeHead(418).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

inBrowser('looking after the service in a browser', () => {
  let browser: Browser;
  let opened: TestService;
  let url: string;
  let hook: { server: Server; url: string };
  let cellarId: string;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    [browser, opened, hook] = await Promise.all([
      launch(path!),
      openTestService({
        access: { mode: 'users', passwordMemoryKib: 8192, passwordPasses: 1 },
      }),
      refusingServer(),
    ]);
    const { access, datastream } = opened.service;
    const ada = await access.users.add({ name: 'ada', password: PASSWORD, isAdmin: true }, BY);
    cellarId = await datastream.ensureStream(
      { site: 'north', sensor: 't1' },
      { ...DEFINITION, tags: { title: 'Cellar' } },
    );
    access.grants.noteCreated([cellarId], {
      identity: access.identityOf(ada.id)!,
      address: null,
    });
    const timestamps = Float64Array.from({ length: 500 }, (_, row) => Date.now() - row * 1000);
    timestamps.reverse();
    await datastream.appendColumns(cellarId, { timestamps, values: timestamps.map(() => 21) });
    await datastream.ensureStream(
      { site: 'south', sensor: 't2' },
      { ...DEFINITION, tags: { title: 'Attic' } },
    );
    await opened.app.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(opened.app.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser.close();
    await opened.close();
    hook.server.closeAllConnections();
    await new Promise((resolve) => hook.server.close(resolve));
  });
  beforeEach(async () => {
    complaints = [];
    [context, page] = await signedIn('ada', PASSWORD);
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  async function signedIn(name: string, password: string): Promise<[BrowserContext, Page]> {
    const own = await browser.newContext({ baseURL: url });
    const opening = await own.newPage();
    opening.on('pageerror', (error) => complaints.push(String(error)));
    opening.on('console', (message) => {
      const isLoading = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !isLoading) complaints.push(message.text());
    });
    await opening.goto('/login');
    await opening.getByLabel('Name').fill(name);
    await opening.getByLabel('Password').fill(password);
    await opening.getByRole('button', { name: 'Log in' }).click();
    await opening.getByRole('button', { name: 'Log out' }).waitFor();
    return [own, opening];
  }

  const row = (text: string) => page.getByRole('row').filter({ hasText: text });
  const dialog = () => page.getByRole('dialog');

  test('shows how much there is, whose it is, and finds a stream by its tags', async () => {
    await page.getByRole('link', { name: 'Admin' }).click();
    // Of a store that has to ask levels.
    await row('Cellar').getByText('≈ 500', { exact: true }).waitFor();
    const cells = await row('Cellar').getByRole('cell').allInnerTexts();
    expect(cells[0]).toBe('Cellar');
    expect(cells.at(-1)).toBe('ada');
    await page.locator('.totals').getByText('2', { exact: true }).waitFor();
    await page.locator('.totals').getByText('≈ 500').waitFor();
    await page.getByRole('searchbox').fill('site=south');
    await row('Cellar').waitFor({ state: 'detached' });
    await row('Attic').getByText('never').waitFor();
    await page.getByRole('link', { name: 'Attic' }).click();
    await page.getByRole('heading', { name: 'Attic' }).waitFor();
  });

  test('makes users, gives one a new password, and shuts him out', async () => {
    await page.goto('/admin/users');
    await page.getByText('New user').click();
    await page.getByLabel('Name', { exact: true }).fill('bob');
    await page.getByLabel('Password', { exact: true }).fill('short');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Add' }).click();
    await row('bob').getByText('password', { exact: true }).waitFor();
    await row('bob').getByRole('button', { name: 'Set password' }).click();
    await dialog().getByLabel('New password').fill(NEXT_PASSWORD);
    await dialog().getByRole('button', { name: 'Set it' }).click();
    await dialog().waitFor({ state: 'hidden' });
    const [bobs, bob] = await signedIn('bob', NEXT_PASSWORD);
    expect(await bob.getByRole('link', { name: 'Admin' }).count()).toBe(0);
    await bob.goto('/admin/users');
    await bob.getByRole('heading', { name: 'Only admins may see this' }).waitFor();
    await page.getByLabel('bob: Shut out').check();
    await bob.goto('/');
    await bob.getByRole('heading', { name: 'Log in' }).waitFor();
    await bobs.close();
    await page.getByLabel('bob: Shut out').uncheck();
    await row('bob').getByRole('button', { name: 'Rename' }).click();
    await dialog().getByLabel('New name').fill('bert');
    await dialog().getByRole('button', { name: 'Rename' }).click();
    await row('bert').waitFor();
    // The last admin stays one: what was refused is not shown as if it were done.
    await page.getByLabel('ada: Admin').click();
    await page.getByRole('alert').waitFor();
    await untilTrue(page, 'document.querySelector("[aria-label=\\"ada: Admin\\"]").checked');
  });

  test('lets a group see streams by their tags, and takes that back', async () => {
    await opened.service.access.users.add({ name: 'carl', password: PASSWORD }, BY);
    await page.goto('/admin/groups');
    await page.getByText('New group').click();
    await page.getByLabel('Name', { exact: true }).fill('crew');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByLabel('Add a member to crew').selectOption('carl');
    await page.getByRole('button', { name: 'Take carl out of crew' }).waitFor();

    await page.getByRole('link', { name: 'Grants' }).click();
    await page.getByText('New grant').click();
    await page.getByLabel('a group').check();
    await page.getByLabel('Name of the group').fill('crew');
    await page.getByLabel('Name of the tag').fill('site');
    await page.getByLabel('Value of site').fill('north');
    await page.getByRole('button', { name: 'Grant', exact: true }).click();
    await row('group crew').getByText('streams with site=north').waitFor();

    const [carls, carl] = await signedIn('carl', PASSWORD);
    await carl.getByRole('link', { name: 'Cellar' }).waitFor();
    expect(await carl.locator('.stream-row').count()).toBe(1);
    await carl.getByRole('link', { name: 'Cellar' }).click();
    await carl.getByRole('heading', { name: 'Facts' }).waitFor();
    expect(await carl.getByRole('heading', { name: 'Who may see this' }).count()).toBe(0);

    await row('group crew').getByRole('button', { name: 'Take back' }).click();
    await dialog().getByRole('button', { name: 'Take back' }).click();
    await row('group crew').waitFor({ state: 'detached' });
    await carl.reload();
    await carl.getByRole('heading', { name: 'There is no such stream' }).waitFor();
    await carls.close();
  });

  test('lets others in on the page of a stream, by who may', async () => {
    const { access } = opened.service;
    const dora = await access.users.add({ name: 'dora', password: PASSWORD }, BY);
    await access.users.add({ name: 'emil', password: PASSWORD }, BY);
    access.grants.add(
      {
        subject: { kind: 'user', userId: dora.id },
        permissions: ['view', 'grant'],
        target: { kind: 'stream', streamId: cellarId },
      },
      BY,
    );
    const [doras, hers] = await signedIn('dora', PASSWORD);
    await hers.goto(`/streams/${cellarId}`);
    const panel = hers.locator('.panel', { hasText: 'Who may see this' });
    await panel.getByText('Let somebody in').click();
    await panel.getByLabel('Name of the user').fill('nobody');
    await panel.getByRole('button', { name: 'Grant', exact: true }).click();
    await panel.getByRole('alert').filter({ hasText: 'No user named "nobody"' }).waitFor();
    await panel.getByLabel('Name of the user').fill('emil');
    await panel.getByLabel('change').check();
    await panel.getByRole('button', { name: 'Grant', exact: true }).click();
    // She cannot give what she has not.
    await panel.getByRole('alert').filter({ hasText: 'needs the permission grant' }).waitFor();
    await panel.getByLabel('change').uncheck();
    await panel.getByRole('button', { name: 'Grant', exact: true }).click();
    await panel.getByRole('row').filter({ hasText: 'emil' }).waitFor();
    expect(await accessibilityProblems(hers)).toEqual([]);
    const [emils, his] = await signedIn('emil', PASSWORD);
    await his.getByRole('link', { name: 'Cellar' }).waitFor();
    await emils.close();
    await doras.close();
  });

  test('makes a token for somebody, which ends when it is revoked', async () => {
    await opened.service.access.users.add({ name: 'robot', password: null }, BY);
    await page.goto('/admin/tokens');
    await page.getByText('New token').click();
    await page.getByLabel('Of', { exact: true }).selectOption('robot');
    await page.getByLabel('Name', { exact: true }).fill('logger');
    await page.getByLabel('Ends').selectOption('in a week');
    await page.getByRole('button', { name: 'Make the token' }).click();
    const token = await page.locator('.note.good code').innerText();
    await row('logger').getByText('robot').waitFor();
    const status = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${url}/api/v1/streams`, { headers })).status;
    };
    expect(await status()).toBe(200);
    await row('logger').getByRole('button', { name: 'Revoke' }).click();
    await dialog().getByRole('button', { name: 'Revoke' }).click();
    await row('logger').waitFor({ state: 'detached' });
    expect(await status()).toBe(401);
  });

  test('pauses a job, runs it all the same, and lets it go on', async () => {
    await page.goto('/admin/jobs');
    await row('cleanup').getByRole('button', { name: 'Pause' }).click();
    await row('cleanup').getByText('paused by ada').waitFor();
    await row('cleanup').getByRole('button', { name: 'Run now' }).click();
    await row('cleanup')
      .getByText(/succeeded in/)
      .waitFor();
    await row('cleanup').getByRole('button', { name: 'Resume' }).click();
    await row('cleanup').getByRole('button', { name: 'Pause' }).waitFor();
  });

  test('searches the log of changes, and pages back', async () => {
    const { audit } = opened.service.access;
    const target = { kind: 'job', id: 'cleanup' };
    for (let count = 0; count < 150; count++) audit.record({ action: 'job.test', target }, BY);
    await page.goto('/admin/audit');
    await row('job.test').nth(99).waitFor();
    expect(await row('job.test').count()).toBe(100);
    await page.getByRole('button', { name: 'Show older' }).click();
    await row('job.test').nth(149).waitFor();
    await page.getByLabel('Did').selectOption('group');
    await row('job.test').first().waitFor({ state: 'detached' });
    await row('group.add').getByText('crew').waitFor();
    await page.getByLabel('Who').fill('nobody');
    await page.keyboard.press('Enter');
    await page.getByText('There is no such entry.').waitFor();
    expect(page.url()).toContain('actor=nobody');
    await page.getByLabel('Who').fill('ADA');
    await page.keyboard.press('Enter');
    await row('group.add').waitFor();
    await page.getByLabel('From').fill('2099-01-01T00:00');
    await page.getByText('There is no such entry.').waitFor();
  });

  test('shows who could not be told of an alert and why, and silences it', async () => {
    await page.goto('/alerts');
    await page.getByText('New rule').click();
    await page.getByLabel('Name', { exact: true }).fill('Too warm');
    await page.getByLabel('Name of the tag').fill('site');
    await page.getByLabel('Value of site').fill('north');
    await page.getByLabel('When').selectOption('above');
    await page.getByLabel('Number').fill('20');
    await page.getByLabel('Webhook').fill(hook.url);
    await page.getByRole('button', { name: 'Make the rule' }).click();
    await row('Too warm').getByText('values above 20').waitFor();
    await opened.service.jobs.run('alerts');
    await page.getByRole('link', { name: 'Too warm', exact: true }).click();
    await page.getByRole('heading', { name: 'Too warm' }).waitFor();
    const failed = row('webhook').filter({ hasText: 'waiting' });
    await failed.getByText(/418.*next try/).waitFor({ timeout: 20_000 });
    await row('the log').getByText('delivered').waitFor();
    await page.getByRole('button', { name: 'Send a test message' }).click();
    await page.getByRole('status').getByText(/418/).waitFor();

    await page.getByText('Silence it').click();
    await page.getByLabel('Why').fill('the window is open');
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    await row('the window is open').getByText('all streams').waitFor();
    await page.getByText('silenced').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: colorScheme === 'dark' ? 390 : 1280, height: 800 });
      expect(await accessibilityProblems(page)).toEqual([]);
    }
    await page.getByRole('button', { name: 'Lift the silence of all streams' }).click();
    await page.getByText('Whoever is to be told is told.').waitFor();
    await page.getByRole('button', { name: 'Turn it off' }).click();
    await page.getByRole('button', { name: 'Turn it on' }).waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog().getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There are no rules yet.').waitFor();
  });

  test('changes a rule by keys alone, and keeps what is not touched', async () => {
    const { alerts, access } = opened.service;
    const rule = alerts.createRule(
      {
        name: 'Too cold',
        isEnabled: false,
        definition: {
          description: 'Ask Ada.',
          severity: 'critical',
          target: { stream: cellarId },
          condition: { kind: 'threshold', level: 'minutes', valueDownsampler: 'count', below: 5 },
          destinations: [{ kind: 'webhook', url: hook.url }],
          notifyResolved: false,
        },
      },
      access.users.byName('ada')!.id,
    );
    await page.goto(`/alerts/${rule.id}`);
    await page.getByText('count of minutes below 5', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit' }).focus();
    await page.keyboard.press('Enter');
    await dialog().getByRole('link', { name: 'Cellar' }).waitFor();
    expect(await page.evaluate('document.activeElement.value')).toBe('Too cold');
    await page.keyboard.press('Control+A');
    await page.keyboard.type('Frost');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: colorScheme === 'dark' ? 390 : 1280, height: 800 });
      expect(await accessibilityProblems(page)).toEqual([]);
    }
    await dialog().getByLabel('Number').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('2');
    // On the wrong side of the number: refused, and nothing that was typed is lost.
    await page.keyboard.press('Tab');
    await page.keyboard.type('1');
    await page.keyboard.press('Enter');
    await dialog().getByRole('alert').filter({ hasText: 'at least 2' }).waitFor();
    await dialog().getByLabel('Over again at').focus();
    await page.keyboard.press('Control+A');
    await page.keyboard.type('3.5');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Frost' }).waitFor();
    await dialog().waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Edit');
    await page.getByText('count of minutes below 2, until 3.5').waitFor();
    const { name, isEnabled, definition } = alerts.rule(rule.id);
    expect({ name, isEnabled, definition }).toEqual({
      name: 'Frost',
      isEnabled: false,
      definition: {
        ...(rule.definition as object),
        condition: {
          kind: 'threshold',
          level: 'minutes',
          valueDownsampler: 'count',
          below: 2,
          clear: 3.5,
        },
      },
    });
    await page.getByRole('button', { name: 'Edit' }).click();
    await dialog().getByLabel('When').selectOption('stale');
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Edit' }).click();
    expect(await dialog().getByLabel('When').inputValue()).toBe('below');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    alerts.removeRule(rule.id);
  });

  test('has pages that can be used without seeing, at every width and in both themes', async () => {
    const sections = ['', '/users', '/groups', '/grants', '/tokens', '/jobs', '/audit'];
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: colorScheme === 'dark' ? 390 : 1280, height: 800 });
      for (const section of sections) {
        await page.goto(`/admin${section}`);
        await page.locator('.panel table, .panel p.muted').first().waitFor();
        for (const summary of await page.locator('details > summary').all()) await summary.click();
        const problems = await accessibilityProblems(page);
        expect({ section, colorScheme, problems }).toEqual({ section, colorScheme, problems: [] });
      }
    }
  });

  test('goes from part to part by keys alone', async () => {
    await page.goto('/admin');
    await page.getByRole('link', { name: 'Statistics' }).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Users' }).waitFor();
    expect(await page.getByRole('link', { name: 'Users' }).getAttribute('aria-current')).toBe(
      'page',
    );
    await page.getByRole('button', { name: 'Set password' }).first().focus();
    await page.keyboard.press('Enter');
    await dialog().getByLabel('New password').waitFor();
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Set password');
  });
});
