import { describe, expect, test } from '@jest/globals';
import { parseSqlUrl } from '../../../src/backends/sql/sql-url.ts';

const URL_TEXT = 'postgresql://me:secret@db.example:5433/metrics';

function messageOf(url: string): string {
  try {
    parseSqlUrl(url);
  } catch (error) {
    expect((error as { code?: unknown }).code).toBe('INVALID_BACKEND_URL');
    return (error as Error).message;
  }
  throw new Error(`expected ${url} to be refused`);
}

describe('the URL of a PostgreSQL store', () => {
  test('has defaults', () => {
    expect(parseSqlUrl(URL_TEXT)).toEqual({
      connectionString: URL_TEXT,
      location: 'postgresql://me:***@db.example:5433/metrics',
      schema: 'datastream',
      poolSize: 8,
      connectTimeoutMs: 10_000,
      queryTimeoutMs: 120_000,
      retryTimeoutMs: 20_000,
    });
  });

  test('gives its own parameters to the store, and those of the driver to the driver', () => {
    const target = parseSqlUrl(
      `${URL_TEXT}?schema=my_store&sslmode=require&pool=2&retryTimeoutMs=0&application_name=x%20y`,
    );
    expect(target.schema).toBe('my_store');
    expect(target.poolSize).toBe(2);
    expect(target.retryTimeoutMs).toBe(0);
    expect(target.connectionString).toBe(`${URL_TEXT}?sslmode=require&application_name=x+y`);
    expect(target.location).toBe('postgresql://me:***@db.example:5433/metrics');
  });

  test('takes the short scheme and a socket folder', () => {
    expect(parseSqlUrl('postgres://localhost/db').location).toBe('postgres://localhost/db');
    const socket = parseSqlUrl('postgresql:///db?host=/run/postgresql');
    expect(socket.connectionString).toContain('host=%2Frun%2Fpostgresql');
  });

  test('is refused, without its password, when something is wrong with it', () => {
    for (const more of [
      '?schema=My-Store',
      '?schema=a;drop table b',
      '?schema=',
      '?pool=0',
      '?pool=1.5',
      '?pool=many',
      '?queryTimeoutMs=-1',
      '?shcema=x',
      '?schema=x&password=secret',
      '#secret',
    ]) {
      expect(messageOf(`${URL_TEXT}${more}`)).not.toContain('secret@');
    }
    for (const url of ['postgresql:db', 'mysql://a/b', 'postgresql://a:port/b']) messageOf(url);
  });

  test('is refused without its password when that has reserved characters in it', () => {
    for (const password of ['se/cret', 'se?cret', 'se#cret', '12/cret', '12?cret', '1/2?cret#3']) {
      const message = messageOf(`postgresql://me:${password}@db.example:5433/metrics?pool=2`);
      expect(message).toContain('***@db.example:5433/metrics');
      for (const part of ['cret', 'me:se', 'me:12']) expect(message).not.toContain(part);
    }
    const target = parseSqlUrl('postgresql://me:a%2F%3F@db.example/metrics?user=a@b');
    expect(target.location).toBe('postgresql://me:***@db.example/metrics');
  });
});
