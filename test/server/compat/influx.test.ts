import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FieldType, InfluxDB } from 'influx';
import { openTestService, type TestService } from '../service.fixture.ts';

let opened: TestService;
beforeEach(async () => {
  opened = await openTestService();
});
afterEach(async () => {
  await opened.close();
});

function write(url: string, payload: string) {
  return opened.app.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'text/plain' },
  });
}

async function valuesOf(tags: Record<string, string>): Promise<unknown[]> {
  const { datastream } = opened.service;
  const [stream] = await datastream.findStreams(tags).toArray();
  const data = await datastream
    .getData(stream!.id, stream!.highestGranularity, { start: 0 })
    .toArray();
  return data.map(({ t, v }) => [t.toISOString(), v]);
}

describe('the write API of InfluxDB', () => {
  test('stores what its own client of version 1 writes', async () => {
    await opened.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = opened.app.server.address() as AddressInfo;
    const client = new InfluxDB({
      host: '127.0.0.1',
      port,
      database: 'home',
      schema: [
        {
          measurement: 'room',
          fields: { celsius: FieldType.FLOAT, window: FieldType.BOOLEAN, note: FieldType.STRING },
          tags: ['where'],
        },
      ],
    });
    await client.createDatabase('home');
    expect(await client.getDatabaseNames()).toEqual(['datastream']);
    await client.writePoints([
      {
        measurement: 'room',
        tags: { where: 'top, left=x' },
        fields: { celsius: 21.5, window: true, note: 'a "b", c' },
        timestamp: new Date('2026-01-01T00:00:00Z'),
      },
      {
        measurement: 'room',
        tags: { where: 'top, left=x' },
        fields: { celsius: -3e-7 },
        timestamp: new Date('2026-01-01T00:00:01Z'),
      },
    ]);
    const tags = { measurement: 'room', where: 'top, left=x' };
    expect(await valuesOf({ ...tags, field: 'celsius' })).toEqual([
      ['2026-01-01T00:00:00.000Z', 21.5],
      ['2026-01-01T00:00:01.000Z', -3e-7],
    ]);
    expect(await valuesOf({ ...tags, field: 'window' })).toEqual([['2026-01-01T00:00:00.000Z', 1]]);
    expect(await valuesOf({ ...tags, field: 'note' })).toEqual([
      ['2026-01-01T00:00:00.000Z', 'a "b", c'],
    ]);
    expect((await client.ping(5000))[0]).toMatchObject({ online: true });
  });

  test('version 2 tells what is wrong with a line, and stores the others', async () => {
    const answer = await write(
      '/api/v2/write?org=o&bucket=b&precision=s',
      'cpu,host=a load=1 1767225600\ncpu,host=a load=one 1767225601\n',
    );
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid' });
    expect(answer.json().message).toMatch(/^line 2: .* dropped=1 accepted=1$/);
    expect(await valuesOf({ measurement: 'cpu', host: 'a', field: 'load' })).toEqual([
      ['2026-01-01T00:00:00.000Z', 1],
    ]);
    expect(
      (await write('/api/v2/write?precision=s', 'cpu,host=a load=2 1767225601\n')).statusCode,
    ).toBe(204);
  });

  test('refuses queries, and units that there are not', async () => {
    expect((await write('/write?precision=fortnights', 'a b=1')).statusCode).toBe(400);
    expect((await opened.app.inject('/query?q=SELECT+*+FROM+cpu')).statusCode).toBe(400);
  });

  test('says what is wrong in the words of both versions', async () => {
    const closed = await openTestService({ access: { mode: 'users' } });
    try {
      const answer = await closed.app.inject({
        method: 'POST',
        url: '/api/v2/write?precision=s',
        payload: 'a b=1',
        headers: { authorization: 'Token nobody' },
      });
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
      const { error, message } = answer.json();
      expect(answer.json()).toEqual({ error: message, code: 'unauthorized', message: error });
      expect(message.length).toBeGreaterThan(5);
    } finally {
      await closed.close();
    }
    const wrong = await write('/write?precision=fortnights', 'a b=1');
    expect(wrong.json()).toMatchObject({
      code: 'invalid',
      error: expect.stringContaining('precision'),
    });
  });

  test('says that it is well', async () => {
    const health = await opened.app.inject('/health');
    expect([health.statusCode, health.json()]).toEqual([
      200,
      expect.objectContaining({ name: 'influxdb', status: 'pass', version: expect.any(String) }),
    ]);
    expect(health.headers['x-influxdb-version']).toBe(health.json().version);
  });

  test.each([
    ['ns', '1767225600000000000'],
    ['us', '1767225600000000'],
    ['ms', '1767225600000'],
    ['s', '1767225600'],
    ['m', '29453760'],
    ['h', '490896'],
  ])('takes timestamps in %s', async (precision, timestamp) => {
    const line = `a\\ b,t\\,g=x\\ y f\\=g=-8i,on=t,text="say \\"hi\\"" ${timestamp}`;
    expect((await write(`/write?db=d&precision=${precision}`, line)).statusCode).toBe(204);
    const tags = { measurement: 'a b', 't,g': 'x y' };
    const at = '2026-01-01T00:00:00.000Z';
    expect(await valuesOf({ ...tags, field: 'f=g' })).toEqual([[at, -8]]);
    expect(await valuesOf({ ...tags, field: 'on' })).toEqual([[at, 1]]);
    expect(await valuesOf({ ...tags, field: 'text' })).toEqual([[at, 'say "hi"']]);
  });
});
