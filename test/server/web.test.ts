import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openTestService, type TestService } from './service.fixture.ts';

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService();
});
afterEach(async () => {
  await opened.close();
});

/** As a browser does when its user opens an address. */
function open(url: string) {
  return opened.app.inject({
    url,
    headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
  });
}

describe('the dashboard over HTTP', () => {
  test('is its page at the root and at every address inside it, asked for anew each time', async () => {
    for (const url of ['/', '/index.html', '/streams/some-id', '/settings?window=day']) {
      const { statusCode, headers, payload } = await open(url);
      expect({ url, statusCode }).toEqual({ url, statusCode: 200 });
      expect(headers['content-type']).toMatch(/^text\/html/);
      expect(headers['cache-control']).toBe('no-cache');
      expect(payload).toContain('<div id="app">');
    }
  });

  test('has files that are kept for ever, and no script or style inside the page', async () => {
    const { payload } = await opened.app.inject('/');
    expect(payload).not.toMatch(/<style|style="|<script(?![^>]*\bsrc=)/);
    const paths = [...payload.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(
      ([, path]) => path!,
    );
    expect(paths).toHaveLength(2);
    for (const path of paths) {
      const { statusCode, headers } = await opened.app.inject(path);
      expect(statusCode).toBe(200);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(headers['content-security-policy']).toContain("script-src 'self';style-src 'self'");
    }
  });

  test('leaves what is not a page to be an error', async () => {
    for (const url of ['/api/v1/nothing', '/api', '/assets/gone.js']) {
      const { statusCode, headers } = await open(url);
      expect({ url, statusCode }).toEqual({ url, statusCode: 404 });
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    }
    // Nor is an address inside it one for a program.
    expect((await opened.app.inject('/streams/some-id')).statusCode).toBe(404);
  });

  test('gives no file from outside its folder', async () => {
    for (const url of ['/assets/..%2f..%2findex.js', '/..%2f..%2fpackage.json']) {
      const { statusCode, headers } = await opened.app.inject(url);
      expect(statusCode).toBeGreaterThanOrEqual(400);
      expect(statusCode).toBeLessThan(500);
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    }
  });
});
