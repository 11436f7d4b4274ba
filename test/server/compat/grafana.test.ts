import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openTestService, type TestService } from '../service.fixture.ts';
import { expectNoFailure } from './support.ts';

const START_MS = Date.parse('2026-01-01T00:00:00Z');
const POINT_COUNT = 7200;
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const HOUR = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:59:59.999Z' };
const TWO_HOURS = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T01:59:59.999Z' };

let opened: TestService;
let rx: string;
let tx: string;

/** Two streams of two hours by the second, and one of words. */
beforeAll(async () => {
  opened = await openTestService({}, { now: () => new Date(START_MS + 7_200_000) });
  const { datastream } = opened.service;
  const add = async (metric: string, factor: number): Promise<string> => {
    const id = await datastream.ensureStream(
      { metric },
      {
        tags: { site: { name: 'x' }, title: `Bytes ${metric}` },
        valueDownsamplers: ['mean', 'max'],
        highestGranularity: 'seconds',
      },
    );
    await datastream.appendColumns(id, {
      timestamps: Float64Array.from({ length: POINT_COUNT }, (_, i) => START_MS + i * 1000),
      values: Float64Array.from({ length: POINT_COUNT }, (_, i) => factor * i),
    });
    return id;
  };
  rx = await add('rx', 1);
  tx = await add('tx', -1);
  const words = await datastream.ensureStream(
    { metric: 'deploy' },
    { valueType: 'nominal', valueDownsamplers: ['count'], highestGranularity: 'seconds' },
  );
  await datastream.append(words, 'version 2', new Date(START_MS + 60_000));
  await datastream.downsampleStreams();
});
afterAll(() => opened.close());

// biome-ignore lint/suspicious/noExplicitAny: what routes answer, which the tests look into
async function post(url: string, payload: object): Promise<{ status: number; body: any }> {
  const answer = await opened.app.inject({ method: 'POST', url: `/grafana${url}`, payload });
  return { status: answer.statusCode, body: answer.json() };
}

const query = (target: object, more: object = {}) =>
  post('/query', {
    range: HOUR,
    maxDataPoints: 100,
    targets: [{ refId: 'A', ...target }],
    ...more,
  });

describe('the JSON data source of Grafana', () => {
  test.each(['/grafana', '/grafana/'])('%s says that it is there', async (url) => {
    expect((await opened.app.inject(url)).statusCode).toBe(200);
  });

  test('finds streams by a part of a tag', async () => {
    expect((await post('/search', { target: 'TX' })).body).toEqual([
      { text: 'Bytes tx', value: tx },
    ]);
    expect((await post('/search', { target: '' })).body).toHaveLength(3);
    const [metric] = (await post('/metrics', { metric: 'rx' })).body;
    expect(metric).toMatchObject({ label: 'Bytes rx', value: rx });
    expect(metric.payloads.map(({ name }: { name: string }) => name)).toEqual([
      'statistic',
      'granularity',
    ]);
    const options = await post('/metric-payload-options', { metric: rx, name: 'statistic' });
    expect(options.body).toEqual(
      expect.arrayContaining([
        { label: 'mean', value: 'mean' },
        { label: 'max', value: 'max' },
      ]),
    );
  });

  test('picks the level that has few enough points for the panel', async () => {
    const { body } = await query({ target: rx });
    expect(body).toHaveLength(1);
    expect(body[0]).toMatchObject({ target: 'Bytes rx', refId: 'A' });
    expect(body[0].datapoints).toHaveLength(60);
    // The mean of 0..59, at the start of the minute.
    expect(body[0].datapoints[0]).toEqual([29.5, START_MS]);
    const raw = await query({ target: rx }, { maxDataPoints: 5000 });
    expect(raw.body[0].datapoints.slice(0, 2)).toEqual([
      [0, START_MS],
      [1, START_MS + 1000],
    ]);
  });

  test('takes a statistic and a granularity by their names', async () => {
    const payload = { statistic: 'max', granularity: 'hours' };
    const { body } = await query({ target: rx, payload }, { range: TWO_HOURS });
    expect(body[0].datapoints).toEqual([
      [3599, START_MS],
      [7199, START_MS + 3_600_000],
    ]);
    const raw = await query({ target: rx, payload: { granularity: 'seconds' } });
    expect(raw.body[0].datapoints).toHaveLength(100);
    expect((await query({ target: rx, payload: { statistic: 'median' } })).status).toBe(400);
  });

  test('looks at no more rows to leave some out than the configuration says', async () => {
    const small = await openTestService({ limits: { thinnedRows: 1000 } });
    const { datastream } = small.service;
    const id = await datastream.ensureStream(
      { a: 1 },
      { valueDownsamplers: ['mean'], highestGranularity: 'seconds' },
    );
    for (const atMs of [START_MS, START_MS + 20 * 3_600_000]) {
      await datastream.append(id, 1, new Date(atMs));
    }
    const ask = async (granularity: string, to: string) =>
      await small.app.inject({
        method: 'POST',
        url: '/grafana/query',
        payload: {
          range: { from: HOUR.from, to },
          maxDataPoints: 10,
          targets: [{ target: id, payload: { granularity } }],
        },
      });
    const refused = await ask('minutes', '2026-01-02T00:00:00Z');
    expect(refused.json()).toMatchObject({ status: 400, field: 'payload.granularity' });
    const hours = (await ask('hours', '2026-01-02T00:00:00Z')).json();
    expect(hours[0].datapoints).toEqual([
      [1, START_MS],
      [null, START_MS + 3_600_000],
      [1, START_MS + 20 * 3_600_000],
    ]);
    expect((await ask('minutes', HOUR.to)).statusCode).toBe(200);
    await small.close();
  });

  test('shares the points of an answer among its series', async () => {
    const small = await openTestService({ limits: { answerPoints: 100 } });
    const { datastream } = small.service;
    const id = await datastream.ensureStream(
      { a: 1 },
      { valueDownsamplers: [], highestGranularity: 'seconds' },
    );
    const timestamps = Float64Array.from({ length: 1000 }, (_, i) => START_MS + i * 1000);
    await datastream.appendColumns(id, { timestamps, values: timestamps });
    const ask = async (targetCount: number) => {
      const targets = Array(targetCount).fill({ target: id, payload: { granularity: 'seconds' } });
      const payload = { range: HOUR, maxDataPoints: 1e9, targets };
      const answer = await small.app.inject({ method: 'POST', url: '/grafana/query', payload });
      return answer.json().map(({ datapoints }: { datapoints: object[] }) => datapoints.length);
    };
    expect(await ask(1)).toEqual([100]);
    expect(await ask(3)).toEqual([33, 33, 33]);
    expect(await ask(70)).toEqual(Array(70).fill(2));
    await small.close();
  });

  test('takes tags for a target, and filters of the dashboard', async () => {
    const names = async (target: string, adhocFilters: object[] = []) =>
      (await query({ target }, { adhocFilters })).body.map((one: { target: string }) => one.target);
    expect(await names('site__name=x')).toEqual(['Bytes rx', 'Bytes tx']);
    expect(await names('tags__metric__in=rx,other')).toEqual(['Bytes rx']);
    const filter = { key: 'metric', operator: '!=', value: 'rx' };
    expect(await names('site__name=x', [filter])).toEqual(['Bytes tx']);
    expect(await names(rx, [filter])).toEqual([]);
    expect(await names('')).toEqual([]);
    expect((await query({ target: 'no such thing' })).status).toBe(400);
    expect((await query({ target: UNKNOWN_ID })).status).toBe(404);
    const regular = { key: 'metric', operator: '=~', value: '.*' };
    expect((await query({ target: '*' }, { adhocFilters: [regular] })).status).toBe(400);
    expect((await query({ target: rx }, { range: { from: 'a', to: 'b' } })).status).toBe(400);
  });

  test('leaves out what is hidden, and answers tables', async () => {
    const { body } = await post('/query', {
      range: HOUR,
      maxDataPoints: 2,
      targets: [
        { target: rx, hide: true },
        { refId: 'B', target: tx, type: 'table', payload: { granularity: 'hours' } },
      ],
    });
    expect(body).toEqual([
      {
        type: 'table',
        refId: 'B',
        columns: [
          { text: 'Time', type: 'time' },
          { text: 'Stream', type: 'string' },
          { text: 'Value', type: 'number' },
        ],
        rows: [[START_MS, 'Bytes tx', -1799.5]],
      },
    ]);
  });

  test('shows datapoints as notes', async () => {
    const annotation = { name: 'deploys', query: 'metric=deploy' };
    expect((await post('/annotations', { range: HOUR, annotation })).body).toEqual([
      { annotation, time: START_MS + 60_000, title: 'metric=deploy', text: 'version 2', tags: [] },
    ]);
  });

  test('knows names and values of tags', async () => {
    const keys = (await post('/tag-keys', {})).body;
    expect(keys.map(({ text }: { text: string }) => text)).toEqual([
      'metric',
      'site__name',
      'title',
    ]);
    expect((await post('/tag-values', { key: 'metric' })).body).toEqual([
      { text: 'deploy' },
      { text: 'rx' },
      { text: 'tx' },
    ]);
  });

  test('gives variables streams, and values of a tag', async () => {
    const ofTx = [{ __text: 'Bytes tx', __value: tx }];
    for (const payload of ['metric=tx', { target: 'metric=tx' }, { target: tx }]) {
      expect(await post('/variable', { payload, range: HOUR })).toEqual({
        status: 200,
        body: ofTx,
      });
    }
    expect((await post('/variable', { payload: '' })).body).toHaveLength(3);
    expect(
      (await post('/variable', { payload: { tag: 'metric', target: 'site__name=x' } })).body,
    ).toEqual(['rx', 'tx'].map((value) => ({ __text: value, __value: value })));
    expect(await post('/variable', { payload: 'rx' })).toMatchObject({
      status: 400,
      body: { field: 'target' },
    });
  });

  test('never fails, whatever it is asked', async () => {
    const odd = fc.oneof(fc.string(), fc.constant(rx), fc.jsonValue(), fc.constant('*'));
    await expectNoFailure(opened, {
      methods: ['POST'],
      paths: [
        'query',
        'search',
        'metrics',
        'metric-payload-options',
        'annotations',
        'tag-values',
        'variable',
      ].map((name) => `/grafana/${name}`),
      parameters: [],
      body: fc.record({
        range: fc.oneof(fc.constant(HOUR), fc.record({ from: fc.string(), to: fc.string() })),
        maxDataPoints: fc.oneof(fc.constant(10), fc.double(), fc.integer()),
        targets: fc.array(fc.record({ target: odd, payload: fc.jsonValue(), type: odd })),
        target: odd,
        metric: odd,
        name: fc.string(),
        key: fc.string(),
        annotation: fc.record({ query: odd }),
        payload: fc.oneof(odd, fc.record({ target: odd, tag: odd })),
      }),
    });
  });
});
