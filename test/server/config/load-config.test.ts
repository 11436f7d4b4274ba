import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadConfig, unknownVariables } from '../../../src/server/config/load-config.ts';
import { showConfig } from '../../../src/server/config/show-config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'datastream-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, text);
  return path;
}

const load = ({
  file = null,
  env = {},
  flags = {},
}: Partial<Parameters<typeof loadConfig>[0]> = {}) => loadConfig({ file, env, flags });

describe('a configuration', () => {
  test('is flags over the environment over the file over defaults', () => {
    const file = fileOf('{"port": 1, "host": "127.0.0.2", "log": "warn", "shutdown": "3s"}');
    const env = { DATASTREAM_PORT: '2', DATASTREAM_LOG: 'error', DATASTREAM_HOST: '' };
    const config = load({ file, env, flags: { port: '3', 'access.publicRead': 'true' } });
    expect(config).toMatchObject({
      port: 3,
      host: '127.0.0.2',
      log: 'error',
      shutdown: 3000,
      access: { publicRead: true, mode: 'users' },
    });
  });

  test('takes lists and objects as JSON, and lists as words', () => {
    const env = {
      DATASTREAM_INGEST_VALUE_DOWNSAMPLERS: 'mean, max',
      DATASTREAM_ALERTS_WEBHOOK_HOSTS: '["a.example"]',
      DATASTREAM_ALERTS_EMAIL_DOMAINS: 'example.org',
      DATASTREAM_TRUST_PROXY: '10.0.0.0/8',
      DATASTREAM_INGEST_RETENTION: '{"raw":"30d"}',
    };
    expect(load({ env })).toMatchObject({
      ingest: { valueDownsamplers: ['mean', 'max'], retention: { raw: '30d' } },
      alerts: { webhookHosts: ['a.example'], emailDomains: ['example.org'] },
      trustProxy: ['10.0.0.0/8'],
    });
    expect(load({ flags: { trustProxy: 'true' } }).trustProxy).toBe(true);
    expect(load({ flags: { trustProxy: '10.0.0.1,::1' } }).trustProxy).toEqual(['10.0.0.1', '::1']);
  });

  test.each([
    ['a name in the file', { text: '{"prot": 80}' }, 'There is no setting "prot".'],
    [
      'a name below',
      { text: '{"access": {"public": true}}' },
      'There is no setting "access.public".',
    ],
    ['a name of a flag', { flags: { 'acess.mode': 'open' } }, 'There is no setting "acess.mode".'],
    [
      'a word',
      { flags: { 'access.mode': 'opn' } },
      /^access\.mode: .*"users"\|"open", not "opn"\.$/,
    ],
    ['a number', { env: { DATASTREAM_PORT: '99999' } }, /^port: .*65535, not 99999\.$/],
    [
      'a network',
      { flags: { trustProxy: '10.0.0.0/99' } },
      'trustProxy: expected true, false, or addresses and networks, as in 10.0.0.0/8, not "10.0.0.0/99".',
    ],
    ['a duration', { flags: { shutdown: 'soon' } }, /^shutdown: .*not "soon"\.$/],
    [
      'a schedule',
      { flags: { 'jobs.cleanup.schedule': 'often' } },
      /^jobs\.cleanup\.schedule: expected a cron expression .*, not "often"\.$/,
    ],
    ['no JSON', { text: '{' }, /config\.json is no JSON: /],
    ['no object', { text: '[1]' }, /config\.json must hold a JSON object\.$/],
  ])('is refused by what is wrong: %s', (_, { text, ...sources }: Wrong, message) => {
    const file = text === undefined ? null : fileOf(text);
    const failing = () => load({ ...sources, file });
    expect(failing).toThrow(message);
    expect(failing).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('that cannot be read is named', () => {
    expect(() => load({ file: join(folder, 'none.json') })).toThrow(
      /Cannot read the configuration .*none\.json: ENOENT/,
    );
  });

  test('tells no secrets, neither when it is shown nor when it is wrong', () => {
    const flags = {
      store: 'postgresql://me:hunter2@db/x',
      'alerts.webhookSecret': 'hunter2hunter2hunter2',
      'alerts.email.url': 'smtps://me:hunter2@mail/',
      'alerts.email.from': 'a@b.example',
    };
    const shown = showConfig(load({ flags }));
    expect(shown).not.toContain('hunter2');
    expect(shown).toContain('postgresql://me:***@db/x');
    for (const wrong of [
      { 'alerts.email.url': 'mailto:me:hunter2' },
      { 'alerts.email.url': 'smtps://me:a/b@hunter2@mail/' },
      { 'alerts.webhookSecret': 'hunter2' },
    ]) {
      let message = '';
      try {
        load({ flags: { ...flags, ...wrong } });
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toMatch(/^alerts\./);
      expect(message).not.toContain('hunter2');
    }
  });

  test('says which variables were perhaps meant to be settings', () => {
    const env = { DATASTREAM_PORT: '1', DATASTREAM_ACESS_MODE: 'open', HOME: '/' };
    expect(unknownVariables(env)).toEqual(['DATASTREAM_ACESS_MODE']);
  });
});

interface Wrong {
  readonly text?: string;
  readonly env?: Record<string, string>;
  readonly flags?: Record<string, unknown>;
}
