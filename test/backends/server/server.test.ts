import { describe, expect, test } from '@jest/globals';
import { importDriver } from '../../../src/backends/server/driver.ts';
import { withRetries } from '../../../src/backends/server/retry.ts';
import { redactUrl } from '../../../src/backends/server/store-url.ts';

describe('a URL that may be printed', () => {
  test('has no password in it', () => {
    expect(redactUrl('postgresql://me:secret@host:1/db')).toBe('postgresql://me:***@host:1/db');
    expect(redactUrl('mongodb://me@host/db?password=secret')).toBe(
      'mongodb://me@host/db?password=***',
    );
    const metadata = encodeURIComponent('postgresql://me:secret@host/db');
    expect(redactUrl(`influxdb://a:secret@host/db?metadata=${metadata}&x=1`)).toBe(
      'influxdb://a:***@host/db?metadata=postgresql://me:***@host/db&x=1',
    );
    expect(redactUrl('no url at all')).toBe('no url at all');
  });

  test.each(['pa/ss', 'p@ss', '12/34', 'a?b=c@d', 'x#y', 's:s', 'metadata'])(
    'hides the password %p, encoded or not',
    (password) => {
      for (const text of [password, encodeURIComponent(password)]) {
        const shown = redactUrl(`postgresql://me:${text}@host:5432/db?pool=8`);
        expect(shown).toBe('postgresql://me:***@host:5432/db?pool=8');
      }
    },
  );

  test.each([
    'postgresql://host:5432/db?pool=8',
    'mongodb://a:1,b:2,c/db?w=majority',
    'postgresql://[::1]:5432/db',
    'embedded:/a@b:c/d',
  ])('%p is shown as it is: it has no password', (url) => {
    expect(redactUrl(url)).toBe(url);
  });
});

describe('a driver', () => {
  test('that is not installed is named', async () => {
    const missing = Object.assign(new Error(`Cannot find package 'pg' imported from here`), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    const load = () => Promise.reject(missing);
    await expect(importDriver('pg', load)).rejects.toMatchObject({ code: 'DRIVER_MISSING' });
    // What another package lacks is passed on.
    await expect(importDriver('influx', load)).rejects.toBe(missing);
  });
});

describe('retries', () => {
  const options = { durationMaxMs: 10_000, pauseMaxMs: 1, isRetryable: () => true };

  test('repeat what failed in passing', async () => {
    let tryCount = 0;
    const work = async () => {
      if (++tryCount < 4) throw new Error('passing');
      return 'done';
    };
    expect(await withRetries(work, options)).toBe('done');
    expect(tryCount).toBe(4);
  });

  test('end with the last failure when it is none that passes, or time is over', async () => {
    let tryCount = 0;
    const work = async () => {
      throw new Error(`failure ${++tryCount}`);
    };
    const isRetryable = (error: unknown) => (error as Error).message !== 'failure 3';
    await expect(withRetries(work, { ...options, isRetryable })).rejects.toThrow('failure 3');
    await expect(withRetries(work, { ...options, durationMaxMs: 0 })).rejects.toThrow('failure 4');
  });

  test('end when their signal says so', async () => {
    const controller = new AbortController();
    const work = async () => {
      controller.abort();
      throw new Error('passing');
    };
    const signal = controller.signal;
    await expect(withRetries(work, { ...options, signal })).rejects.toThrow('passing');
  });
});
