import { describe, expect, test } from '@jest/globals';
import { parseInfluxUrl } from '../../../src/backends/influxdb/influx-url.ts';

const METADATA = 'postgresql://user:hidden-word@db.example:5432/meta';
const ENCODED = encodeURIComponent(METADATA);

describe('the URL of an InfluxDB store', () => {
  test('has everything in its place, and defaults', () => {
    expect(parseInfluxUrl(`influxdb://influx.example/measured?metadata=${ENCODED}`)).toEqual({
      protocol: 'http',
      host: 'influx.example',
      port: 8086,
      database: 'measured',
      credentials: null,
      retentionPolicy: null,
      connectionCountMax: 4,
      requestTimeoutMs: 30_000,
      retryTimeoutMs: 5000,
      backlogMaxBytes: 134_217_728,
      metadataUrl: METADATA,
      location: 'influxdb://influx.example/measured',
    });
  });

  test('may have users, ports and names that need encoding, and IPv6', () => {
    const parsed = parseInfluxUrl(
      `influxdb://us%40er:p%3Aw%2F%25@[::1]:80/a%20%22b%22?ssl=true&retention=a%20year&connections=2&metadata=${ENCODED}`,
    );
    expect(parsed).toMatchObject({
      protocol: 'https',
      host: '::1',
      port: 80,
      database: 'a "b"',
      credentials: { user: 'us@er', password: 'p:w/%' },
      retentionPolicy: 'a year',
      connectionCountMax: 2,
    });
    expect(parsed.location).not.toContain('p%3Aw');
  });

  test.each([
    ['no metadata', 'influxdb://host/db'],
    ['metadata elsewhere', 'influxdb://host/db?metadata=mysql%3A%2F%2Fx'],
    ['no database', `influxdb://host?metadata=${ENCODED}`],
    ['an unknown parameter', `influxdb://host/db?metadata=${ENCODED}&x=1`],
    ['a flag that is none', `influxdb://host/db?metadata=${ENCODED}&ssl=yes`],
    ['a number out of bounds', `influxdb://host/db?metadata=${ENCODED}&connections=0`],
    ['a number that is none', `influxdb://host/db?metadata=${ENCODED}&retryTimeoutMs=1e3`],
    ['a stray percent sign', `influxdb://host/%zz?metadata=${ENCODED}`],
  ])('is refused with %s, and shows no password', (_what, url) => {
    const withPassword = url.replace('//host', '//me:secret-word@host');
    try {
      parseInfluxUrl(withPassword);
    } catch (error) {
      expect((error as { code?: unknown }).code).toBe('INVALID_BACKEND_URL');
      expect((error as Error).message).not.toMatch(/secret-word|hidden-word/);
      return;
    }
    throw new Error('expected a refusal');
  });
});
