import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { dateText } from '../../../src/server/compat/datastream/dates.ts';
import { xmlText } from '../../../src/server/compat/datastream/xml.ts';
import { openTestService, type TestService } from '../service.fixture.ts';

const LIST = '/api/v1/stream/';
const START_MS = Date.parse('2014-05-05T00:00:00Z');
const STEP_MS = 5000;
/** One hour, both ends included. */
const POINT_COUNT = 721;

let opened: TestService;
const ids: string[] = [];

/** Five streams of an hour: int, float, float, enum, graph, as the demo of django-datastream has them. */
beforeAll(async () => {
  opened = await openTestService({}, { now: () => new Date(START_MS + 3_700_000) });
  const { datastream } = opened.service;
  const kinds = ['numeric', 'numeric', 'numeric', 'nominal', 'graph'] as const;
  for (const [number, valueType] of kinds.entries()) {
    const isNumeric = valueType === 'numeric';
    const names = isNumeric ? ['mean', 'min', 'max'] : ['count'];
    const id = await datastream.ensureStream(
      { stream_number: number },
      {
        tags: {
          title: `Stream ${number}`,
          visualization: { type: isNumeric ? 'line' : 'state', value_downsamplers: names },
        },
        valueType,
        valueDownsamplers: names,
        highestGranularity: 'seconds',
      },
    );
    ids.push(id);
    const valueAt = (i: number): unknown => {
      if (isNumeric) return i % 7;
      return valueType === 'nominal' ? 'x' : { v: [], e: [] };
    };
    await datastream.appendColumns(id, {
      timestamps: Float64Array.from({ length: POINT_COUNT }, (_, i) => START_MS + i * STEP_MS),
      values: isNumeric
        ? Float64Array.from({ length: POINT_COUNT }, (_, i) => i % 7)
        : Array.from({ length: POINT_COUNT }, (_, i) => valueAt(i)),
    });
  }
  await datastream.downsampleStreams();
});
afterAll(() => opened.close());

async function get(url: string) {
  const answer = await opened.app.inject(url);
  return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
}

const list = async (query: string) => (await get(`${LIST}?${query}`)).body;
const detail = async (query: string, number = 0) => get(`${LIST}${ids[number]}/?${query}`);

describe('the API of django-datastream', () => {
  test('D3.1 has the addresses that clients know', async () => {
    expect((await get('/api/v1/')).body).toEqual({
      stream: { list_endpoint: LIST, schema: `${LIST}schema/` },
    });
    expect((await list('')).objects[1].resource_uri).toBe(`${LIST}${ids[1]}/`);
  });

  test('D3.2 takes no other methods, and says which ones it takes', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      for (const url of [LIST, `${LIST}${ids[0]}/`]) {
        const answer = await opened.app.inject({ method, url });
        expect(answer.statusCode).toBe(405);
        expect(answer.headers.allow).toContain('GET');
      }
    }
  });

  test('D3.3 lists streams without datapoints', async () => {
    const { meta, objects } = await list('offset=0&limit=0');
    expect(meta).toEqual({ total_count: 5, limit: 1000, offset: 0, next: null, previous: null });
    expect(objects.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(Object.keys(objects[0]).sort()).toEqual([
      'earliest_datapoint',
      'highest_granularity',
      'id',
      'latest_datapoint',
      'resource_uri',
      'tags',
      'time_downsamplers',
      'value_downsamplers',
      'value_type',
    ]);
    const page = await list('limit=2&offset=1&tags__title__icontains=stream');
    expect(page.meta.next).toBe(`${LIST}?tags__title__icontains=stream&limit=2&offset=3`);
    expect(page.meta.previous).toBe(`${LIST}?tags__title__icontains=stream&limit=1&offset=0`);
  });

  test.each([
    ['tags__title=Stream 1', 1],
    ['tags__title__iexact=strEAm 1', 1],
    ['tags__title__icontains=strEAm', 5],
    ['tags__stream_number__gte=1', 4],
    ['tags__stream_number__gt=1', 3],
    ['tags__stream_number__in=1,2', 2],
    ['tags__stream_number__nin=1,2', 3],
    ['tags__visualization__value_downsamplers=mean', 3],
    ['tags__visualization__value_downsamplers__all=mean,min', 3],
    [
      'tags__visualization__value_downsamplers__all=mean&tags__visualization__value_downsamplers__all=min',
      3,
    ],
    ['tags__visualization__value_downsamplers__all=mean,foobar', 0],
    ['tags__stream_id=x', 0],
    ['tags__stream_id__title=x', 0],
    ['tags__value_type=numeric', 0],
    ['tags__highest_granularity=Seconds', 0],
    ['id=x', 5],
    ['stream_id=x&highest_granularity=y', 5],
  ])('D3.5-7 %s finds %i', async (query, count) => {
    expect((await list(query)).meta.total_count).toBe(count);
  });

  test('D3.9 describes its fields', async () => {
    const { fields, default_limit, allowed_list_http_methods } = (await get(`${LIST}schema/`)).body;
    expect(fields.highest_granularity.choices).toEqual([
      'seconds',
      '10seconds',
      'minutes',
      '10minutes',
      'hours',
      '6hours',
      'days',
    ]);
    expect([...fields.value_type.choices].sort()).toEqual(['graph', 'nominal', 'numeric']);
    expect([default_limit, allowed_list_http_methods]).toEqual([20, ['get']]);
  });

  test('D3.10 gives the first datapoints of a stream', async () => {
    const { body } = await detail('');
    expect(body.query_params).toEqual({
      granularity: 'seconds',
      start: '0001-01-01T00:00:00Z',
      end: null,
      start_exclusive: null,
      end_exclusive: null,
      reverse: false,
      value_downsamplers: null,
      time_downsamplers: null,
    });
    expect(body.meta).toMatchObject({
      total_count: POINT_COUNT,
      limit: 100,
      offset: 0,
      previous: null,
    });
    expect(body.meta.next).not.toBeNull();
    expect(body.datapoints).toHaveLength(100);
    expect(body.datapoints[1]).toEqual({ t: '2014-05-05T00:00:05Z', v: 1 });
  });

  test('D3.11 pages', async () => {
    const none = (await detail('limit=0')).body;
    expect(none).toMatchObject({
      datapoints: [],
      meta: { limit: 0, next: null, previous: null, total_count: POINT_COUNT },
    });
    const last = (await detail('limit=40&offset=700')).body;
    expect(last.datapoints).toHaveLength(21);
    expect(last.meta.next).toBeNull();
    expect(last.meta.previous).toMatch(/limit=40&offset=660$/);
    expect((await detail('limit=10&offset=7')).body.meta.previous).toMatch(/limit=7&offset=0$/);
  });

  test('D3.13 ends may count or not', async () => {
    const at = START_MS / 1000 + 10;
    const times = async (query: string) => {
      const { body } = await detail(query);
      return [body.datapoints.length, body.query_params.end, body.query_params.end_exclusive];
    };
    expect(await times(`end=${at}`)).toEqual([3, '2014-05-05T00:00:10Z', null]);
    expect(await times(`end_exclusive=${at}`)).toEqual([2, null, '2014-05-05T00:00:10Z']);
    const starts = async (query: string) => (await detail(query)).body.datapoints[0].t;
    expect(await starts(`start=${at}`)).toBe('2014-05-05T00:00:10Z');
    expect(await starts(`start_exclusive=${at}`)).toBe('2014-05-05T00:00:15Z');
  });

  test('D3.14 counts from the end when reversed', async () => {
    const { body } = await detail('reverse=true&limit=2&offset=1');
    expect(body.datapoints.map(({ t }: { t: string }) => t)).toEqual([
      '2014-05-05T00:59:55Z',
      '2014-05-05T00:59:50Z',
    ]);
  });

  test.each(['10seconds', 'S'])('D3.15 reads the level %s', async (name) => {
    const { body } = await detail(`granularity=${name}&limit=1000`);
    expect(body.query_params.granularity).toBe('10seconds');
    expect(body.datapoints).toHaveLength(360);
    expect(Object.keys(body.datapoints[0].v).sort()).toEqual(['c', 'l', 'm', 's', 'u']);
  });

  test.each(['a,z', 'first,last', 'first&time_downsamplers=z'])(
    'D3.17 limits times to %s',
    async (names) => {
      const { body } = await detail(`granularity=minutes&time_downsamplers=${names}`);
      expect(Object.keys(body.datapoints[0].t).sort()).toEqual(['a', 'z']);
      const values = (
        await detail('granularity=minutes&value_downsamplers=m&value_downsamplers=max')
      ).body;
      expect(Object.keys(values.datapoints[0].v).sort()).toEqual(['m', 'u']);
    },
  );

  test.each([
    ['granularity=foo', "Invalid granularity: 'foo'"],
    ['value_downsamplers=foo', "Invalid value downsampler: 'foo'"],
    ['time_downsamplers=foo', "Invalid time downsampler: 'foo'"],
    ['start=abc', "Invalid time range start value: 'abc'"],
    ['start=1.5', "Invalid time range start value: '1.5'"],
    ['end=abc', "Invalid time range end value: 'abc'"],
    ['start=1&start_exclusive=1', 'Only one time range start can be specified.'],
  ])('D3.18 refuses %s', async (query, error) => {
    expect(await detail(query)).toMatchObject({ status: 400, body: { error } });
  });

  test.each(['limit=-1', 'limit=abc', 'offset=-1'])('D3.18 refuses %s', async (query) => {
    expect((await detail(query)).status).toBe(400);
    expect((await get(`${LIST}?${query}`)).status).toBe(400);
  });

  test('D3.19 gives no more than the maximum, and nothing of what there is not', async () => {
    expect((await detail('limit=20000')).body.meta.limit).toBe(10_000);
    expect(await get(`${LIST}00000000-0000-4000-8000-000000000000/`)).toMatchObject({
      status: 404,
      body: { error_message: expect.any(String) },
    });
    expect((await get(`${LIST}set/${ids[0]};nothing/`)).body).toMatchObject({
      objects: [{ id: ids[0] }],
      not_found: ['nothing'],
    });
  });

  test('D3.21 writes dates as mails have them, whatever the language', () => {
    expect(dateText(new Date('2014-05-05T01:05:00Z'), 'rfc-2822')).toBe(
      'Mon, 05 May 2014 01:05:00 +0000',
    );
  });

  test('D3.22 lets pages from everywhere read, also what is refused', async () => {
    const options = await opened.app.inject({ method: 'OPTIONS', url: LIST });
    expect(options.payload).toContain('GET');
    const answers = [await get(LIST), await detail('granularity=foo'), options];
    for (const { headers } of answers) {
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers['access-control-max-age']).toBe('3600');
      expect(headers['access-control-allow-methods']).toBe('GET, HEAD, OPTIONS');
    }
  });

  test.each([
    [2 * 86_400, '10minutes', 288],
    [5 * 3600 + 13 * 60, '10minutes', 32],
    [300 * 60, 'minutes', 300],
    [50 * 60, '10seconds', 300],
    [300, 'seconds', 300],
  ])('D3.23 a chart of %i s with 300 points is of %s', async (lengthS, granularity, count) => {
    const { datastream } = opened.service;
    const id = await datastream.ensureStream(
      { chart: true },
      { valueDownsamplers: ['mean'], highestGranularity: 'seconds' },
    );
    const startMs = START_MS - 5 * 86_400_000;
    if ((await datastream.getStream(id)).latestDatapoint === null) {
      const timestamps = Float64Array.from(
        { length: 2 * 86_400 + 3600 },
        (_, i) => startMs + i * 1000,
      );
      const values = timestamps.map((_, i) => i);
      await datastream.appendColumns(id, { timestamps, values });
      await datastream.downsampleStreams({ queryTags: { chart: true } });
    }
    const endExclusive = startMs + lengthS * 1000;
    const { body } = await get(
      `/api/v1/streams/${id}/data?start=${startMs}&endExclusive=${endExclusive}&maxPoints=300&format=columns`,
    );
    expect([body.granularity, body.timestamps.length]).toEqual([granularity, count]);
  });

  test('calls a function of the page, by a name that is one', async () => {
    const answer = await opened.app.inject(`${LIST}schema/?callback=jQuery1.show`);
    expect(answer.headers['content-type']).toContain('text/javascript');
    expect(answer.payload).toMatch(/^\/\*\*\/jQuery1\.show\(\{/);
    expect((await get(`${LIST}schema/?callback=alert(1)//`)).status).toBe(400);
    expect((await opened.app.inject(`${LIST}schema/?format=jsonp`)).payload).toMatch(
      /^\/\*\*\/callback\(\{/,
    );
  });

  test('writes XML where that is asked for, and nothing that there is not', async () => {
    const xmlOf = async (query: string, accept = '*/*') => {
      const answer = await opened.app.inject({ url: `${LIST}${query}`, headers: { accept } });
      return [answer.headers['content-type'], answer.payload] as const;
    };
    const [type, text] = await xmlOf(`${ids[0]}/?format=xml&limit=2&granularity=minutes`);
    expect(type).toBe('application/xml; charset=utf-8');
    expect(text).toContain(
      `<?xml version='1.0' encoding='utf-8'?>\n<response><id>${ids[0]}</id><resource_uri>`,
    );
    expect(text).toContain('<stream_number type="integer">0</stream_number>');
    expect(text).toContain('<value_downsamplers type="list"><value>mean</value>');
    expect(text).toContain('<end type="null"/>');
    expect(text).toContain('<reverse type="boolean">False</reverse>');
    expect(text).toMatch(/<datapoints type="list"><object type="hash"><t type="hash"><m>2014-/);
    expect(text).toMatch(/<m type="float">\d+\.\d+<\/m>/);
    expect((await xmlOf('', 'application/xml'))[0]).toBe(type);
    const browser = 'text/html,application/xml;q=0.9,*/*;q=0.8';
    expect((await xmlOf('', browser))[0]).toMatch(/^application\/json/);
    expect(await get(`${LIST}?format=yaml`)).toMatchObject({
      status: 400,
      body: { error: "Invalid format: 'yaml'" },
    });
    expect(xmlText({ 'a b': '<&">', xmlns: 1, list: [{ x: 'a\u0000b' }] })).toBe(
      "<?xml version='1.0' encoding='utf-8'?>\n<response>" +
        '<value name="a b">&lt;&amp;&quot;&gt;</value><value name="xmlns" type="integer">1</value>' +
        '<list type="list"><object type="hash"><x>a\ufffdb</x></object></list></response>',
    );
  });
});
