import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Access } from '../../src/server/access/access.ts';
import { StateStore } from '../../src/server/state/state-store.ts';
import {
  type CliResult,
  type CliRunOptions,
  NOW,
  type TemporaryStore,
  temporaryStore,
} from './harness.ts';

const PASSWORD = 'not an easy one';
/** As cheap as argon2 allows: the tests are not about its cost. */
const ENV = { DATASTREAM_ACCESS_PASSWORD_MEMORY_KIB: '8', DATASTREAM_ACCESS_PASSWORD_PASSES: '1' };
const STREAM_ID = '5f0c9a4e-0000-4000-8000-000000000001';

let store: TemporaryStore;
beforeEach(async () => {
  store = await temporaryStore();
});
afterEach(() => store.remove());

function stateFolder(): string {
  return join(store.folder, 'store', 'service');
}

async function cli(line: string, options: CliRunOptions = {}): Promise<CliResult> {
  return await store.cli(line.split(' '), { env: ENV, ...options });
}

/** Standard output of a command that worked. */
async function out(line: string, options: CliRunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await cli(line, options);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout.trimEnd();
}

async function withAccess<T>(work: (access: Access) => Promise<T>): Promise<T> {
  const state = await StateStore.open(stateFolder());
  try {
    return await work(new Access(state, { now: () => NOW }));
  } finally {
    await state.close();
  }
}

describe('datastream user', () => {
  test('adds users who can log in, in files that nobody else reads', async () => {
    expect(await out('user add anna --admin', { stdin: `${PASSWORD}\nmore` })).toBe(
      'user anna added',
    );
    expect(statSync(stateFolder()).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateFolder(), 'service.lmdb')).mode & 0o777).toBe(0o600);
    await out('user add robot --no-password');
    expect(await out('user list')).toBe(
      [
        'name   admin  login        groups  since',
        'anna   admin  password             2026-01-01T12:00:00Z',
        'robot         tokens only          2026-01-01T12:00:00Z',
      ].join('\n'),
    );
    const [anna] = JSON.parse(await out('user list --json')) as object[];
    expect(anna).toMatchObject({ name: 'anna', isAdmin: true, hasPassword: true });
    expect(anna).not.toHaveProperty('passwordHash');
    await withAccess(async (access) => {
      const { user } = await access.login({ name: 'anna', password: PASSWORD, address: null });
      expect(user.name).toBe('anna');
      const [, entry] = access.audit.page({ limit: 3 }).entries;
      expect(entry?.actor).toMatchObject({ name: 'command line', address: null });
    });
  });

  test('asks twice at a terminal, and shows nothing of the answer', async () => {
    const ask = (...answers: string[]): Promise<CliResult> => {
      const stdin = new PassThrough();
      stdin.write(answers.map((answer) => `${answer}\r`).join(''));
      return cli('user add anna', {
        stdin,
        isTerminal: { stdin: true, stdout: true, stderr: true },
      });
    };
    expect(await ask(PASSWORD, `${PASSWORD}!`)).toEqual({
      exitCode: 3,
      stdout: '',
      stderr:
        'New password of anna: \nOnce more: \ndatastream: These are two different passwords.\n',
    });
    expect(await ask(`${PASSWORD}x\u007f`, PASSWORD)).toEqual({
      exitCode: 0,
      stdout: 'user anna added\n',
      stderr: 'New password of anna: \nOnce more: \n',
    });
    expect((await ask('\u0003')).exitCode).toBe(130);
  });

  test('changes passwords, admins and who is let in, and never leaves nobody', async () => {
    await out('user add anna --admin', { stdin: PASSWORD });
    await out('user add bert', { stdin: PASSWORD });
    expect(await cli('user remove anna --yes')).toMatchObject({ exitCode: 44 });
    expect(await cli('user admin anna --undo')).toMatchObject({ exitCode: 44 });
    expect(await out('user admin bert')).toBe('bert is an admin');
    expect(await out('user disable anna')).toBe('user anna disabled');
    expect(await out('user disable anna --undo')).toBe('user anna enabled');
    expect(await out('user password anna', { stdin: `${PASSWORD} 2` })).toBe(
      'password of anna changed',
    );
    expect(await cli('user remove anna')).toMatchObject({ exitCode: 5 });
    expect(await out('user remove anna --yes')).toBe('user anna removed');
    expect(await cli('user remove anna --yes')).toMatchObject({
      exitCode: 40,
      stderr: 'datastream: No user named "anna".\n',
    });
  });

  test.each([
    ['user add anna', '', 3, 'The input has no password.'],
    ['user add anna', 'short', 43, 'A password has at least 10 characters.'],
    ['user add an:na', PASSWORD, 42, 'Not a name: "an:na"'],
    ['user add', PASSWORD, 2, 'missing required argument'],
  ])('%s with the input %j is refused', async (line, stdin, exitCode, message) => {
    const result = await cli(line, { stdin });
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toContain(message);
  });

  test('does not begin a state where there is none, but for the first user', async () => {
    const result = await cli('user list');
    expect(result).toMatchObject({ exitCode: 45 });
    expect(result.stderr).toContain(join(stateFolder(), 'service.lmdb'));
    expect(existsSync(stateFolder())).toBe(false);
    const elsewhere = join(store.folder, 'elsewhere');
    await out(`user add anna --no-password --state ${elsewhere}`);
    expect(existsSync(stateFolder())).toBe(false);
    expect(await out('user list', { env: { ...ENV, DATASTREAM_STATE: elsewhere } })).toContain(
      'anna',
    );
    const onServer = await store.cli(['--store', 'postgresql://localhost/x', 'user', 'list']);
    expect(onServer).toMatchObject({ exitCode: 9 });
  });
});

describe('datastream token', () => {
  test('prints a token once, which works until it is revoked', async () => {
    await out('user add anna --no-password');
    const secret = await out('token create anna --name script --scope append,view --expires 90d');
    const [token] = JSON.parse(await out('token list anna --json')) as { id: string }[];
    expect(token).toMatchObject({
      name: 'script',
      scopes: ['view', 'append'],
      expiresAtMs: NOW.getTime() + 90 * 86_400_000,
    });
    expect(await out('token list')).not.toContain(secret);
    const identify = (): Promise<unknown> =>
      withAccess((access) => access.identify({ kind: 'token', secret }, null));
    expect(await identify()).toMatchObject({ name: 'anna', kind: 'token' });
    expect(await out(`token revoke ${token!.id}`)).toBe('token script revoked');
    await expect(identify()).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' });
    expect(await out('token list')).toMatch(/script {2}view,append .* revoked$/);
  });

  test.each([
    ['token create nobody --name x --scope view', 40],
    ['token create anna --name x --scope everything', 2],
    ['token create anna --name x', 2],
    ['token create anna --name x --scope view --expires never', 2],
    ['token create anna --name x --scope view --expires -1h', 42],
    ['token revoke 1', 40],
  ])('%s is refused', async (line, exitCode) => {
    await out('user add anna --no-password');
    expect(await cli(line)).toMatchObject({ exitCode, stdout: '' });
  });
});

describe('datastream group and grant', () => {
  test('say who may do what, and take it back', async () => {
    await out('user add anna --no-password');
    expect(await out('group add crew')).toBe('group crew added');
    expect(await out('group join crew anna')).toBe('anna is in crew');
    expect(await out('group list')).toMatch(/^name {2}users {2}since\ncrew {2}anna /);
    expect(await out('grant add site=a n=1 --group crew --allow view,append')).toMatch(
      /^grant [\w-]{36}: group crew view,append site=a n=1$/,
    );
    await out(`grant add ${STREAM_ID} --user anna --allow change`);
    await out('grant add --all --public --allow view');
    const lines = (await out('grant list')).split('\n');
    expect(lines.map((line) => line.replace(/^\S+ +/, '').replace(/ {2,}/g, ' | ')).sort()).toEqual(
      [
        'group crew | view,append | site=a n=1',
        'public | view | all streams',
        `user anna | change | ${STREAM_ID}`,
        'who | what | on',
      ],
    );
    const [grant] = JSON.parse(await out('grant list --user anna --json')) as { id: string }[];
    expect(await out(`grant remove ${grant!.id}`)).toBe(`grant ${grant!.id} removed`);
    expect(await out('grant list --user anna --json')).toBe('[]');
    expect(await out('group leave crew anna')).toBe('anna is not in crew');
    expect(await out('group remove crew --yes')).toBe('group crew removed');
    expect(JSON.parse(await out('grant list --json'))).toHaveLength(1);
  });

  test.each([
    ['grant add --user anna --allow view', 2],
    ['grant add site=a --all --user anna --allow view', 2],
    ['grant add site=a --allow view', 2],
    ['grant add site=a --user anna --public --allow view', 2],
    ['grant add site=a --user anna --allow admin', 2],
    ['grant add site=a --user bert --allow view', 40],
    ['grant add site=a --group crew --allow view', 40],
    ['grant add site=a --public --allow append', 42],
    [`grant add ${STREAM_ID} --user anna --allow create`, 42],
    ['group add x/y', 42],
    ['group join crew anna', 40],
    ['grant remove 1', 40],
  ])('%s is refused', async (line, exitCode) => {
    await out('user add anna --no-password');
    expect(await cli(line)).toMatchObject({ exitCode, stdout: '' });
    expect(await out('grant list --json')).toBe('[]');
  });
});
