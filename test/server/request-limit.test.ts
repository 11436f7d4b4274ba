import { expect, test } from '@jest/globals';
import { openTestService } from './service.fixture.ts';

test('an address that sends too many requests waits', async () => {
  const opened = await openTestService({ limits: { requestsPerMinute: 3 } });
  try {
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) {
      statuses.push((await opened.app.inject('/api/v1/streams')).statusCode);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const { headers, payload } = await opened.app.inject('/api/v1/streams');
    expect(headers['content-type']).toContain('application/problem+json');
    expect(JSON.parse(payload)).toMatchObject({ code: 'TOO_MANY_REQUESTS', status: 429 });
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  } finally {
    await opened.close();
  }
});
