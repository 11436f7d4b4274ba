import { describe, expect, test } from '@jest/globals';
import { at, open, SECONDS } from '../engine/support.ts';

describe('options that nobody reads', () => {
  test('are refused, because a misspelt one would do what its absence does', async () => {
    const { datastream } = await open();
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    const misspelt = { query_tags: {}, check_timestamp: false } as object;
    const calls: (() => unknown)[] = [
      () => datastream.downsampleStreams(misspelt),
      () => datastream.backprocessStreams(misspelt),
      () => datastream.verify(misspelt),
      () => datastream.append(id, 1, at(0), misspelt),
      () => datastream.appendMultiple([{ streamId: id, value: 1 }], misspelt),
      () =>
        datastream.appendColumns(
          id,
          { timestamps: Float64Array.of(at(0)), values: Float64Array.of(1) },
          misspelt,
        ),
      () => datastream.ensureStream({ n: 2 }, { ...SECONDS, ...misspelt }),
      () => datastream.getData(id, 'seconds', { start: 0, ...misspelt }),
    ];
    for (const call of calls) {
      await expect((async () => call())()).rejects.toBeInstanceOf(TypeError);
    }
    expect(await datastream.getData(id, 'seconds', { start: 0 }).count()).toBe(0);
  });

  test('of the wrong kind are refused as well', async () => {
    const { datastream } = await open();
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    const wrong = <T>(value: unknown): T => value as T;
    expect(() => datastream.getData(id, 'seconds', wrong(undefined))).toThrow(TypeError);
    expect(() => datastream.getData(id, 'seconds', { start: 0, reverse: wrong('no') })).toThrow(
      TypeError,
    );
    expect(() =>
      datastream.getData(id, 'seconds', { start: 0, valueDownsamplers: wrong('mean') }),
    ).toThrow(TypeError);
    await expect(datastream.deleteStreams(wrong(null))).rejects.toBeInstanceOf(TypeError);
    await expect(
      datastream.append(id, 1, at(0), { checkTimestamp: wrong('no') }),
    ).rejects.toBeInstanceOf(TypeError);
    await expect(datastream.updateStream(id, { retention: { raw: wrong(30n) } })).rejects.toThrow(
      'Not a duration for which raw could be kept: 30;',
    );
    expect(await datastream.findStreams().count()).toBe(1);
  });

  test('of derivations and time zones are refused, and nothing is created or changed', async () => {
    const { datastream } = await open();
    const stream = await datastream.ensureStream({ n: 1 }, SECONDS);
    const wrong = <T>(value: unknown): T => value as T;
    const derive = (source: object, more: object = {}): Promise<unknown> =>
      datastream.ensureStream(
        { n: 2 },
        { ...SECONDS, deriveOp: 'sum', deriveFrom: [wrong({ stream, ...source })], ...more },
      );
    await expect(derive({ granularty: 'minutes' })).rejects.toThrow(
      'Unknown option "granularty" of a derive source.',
    );
    await expect(derive({ name: 5 })).rejects.toThrow('The name of a derive source is text, not 5');
    await expect(
      datastream.ensureStream({ n: 2 }, { ...SECONDS, deriveArgs: { min: 1 } }),
    ).rejects.toMatchObject({ code: 'INVALID_OPERATOR_ARGUMENTS' });
    await expect(datastream.updateStream(stream, { timeZone: wrong(null) })).rejects.toMatchObject({
      code: 'UNSUPPORTED_GRANULARITY',
    });
    expect(await datastream.findStreams().count()).toBe(1);
  });

  test('and datapoints that are none are named', async () => {
    const { datastream } = await open();
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    const wrong = <T>(value: unknown): T => value as T;
    const item = { streamId: id, value: 1, timestamp: at(0) };
    const none = 'takes a list of datapoints, of which number 1 is null.';
    const items = wrong<(typeof item)[]>([item, null]);
    await expect(datastream.appendMultiple(items)).rejects.toThrow(`appendMultiple ${none}`);
    await expect(datastream.upsertMultiple(items)).rejects.toThrow(`upsertMultiple ${none}`);
    await expect(datastream.replaceData(id, { start: 0 }, items)).rejects.toThrow(
      `replaceData ${none}`,
    );
    await expect(datastream.replaceData(id, { start: 0 }, wrong(null))).rejects.toThrow(
      'replaceData takes a list of datapoints, or a Float64Array',
    );
    await expect(datastream.appendColumns(id, wrong(null))).rejects.toThrow(
      'appendColumns takes a Float64Array',
    );
    expect(await datastream.getData(id, 'seconds', { start: 0 }).count()).toBe(0);
  });

  test('include tags that contradict the query tags', async () => {
    const { datastream } = await open();
    await expect(
      datastream.ensureStream({ n: 5 }, { ...SECONDS, tags: { n: 6 } }),
    ).rejects.toBeInstanceOf(TypeError);
    expect(await datastream.findStreams().count()).toBe(0);
  });
});

describe('a level with long gaps', () => {
  test('gives the same as columns, as datapoints and reversed', async () => {
    const { datastream } = await open({ now: () => new Date(at(1e9)) });
    const id = await datastream.ensureStream(
      { n: 1 },
      { ...SECONDS, valueDownsamplers: ['std_dev', 'min'] },
    );
    for (const second of [3, 4, 200_003, 200_013]) await datastream.append(id, second, at(second));
    await datastream.downsampleStreams();
    const data = datastream.getData(id, '10seconds', { start: at(0) });
    const reversed = datastream.getData(id, '10seconds', { start: at(0), reverse: true });
    const { timestamps, v, t } = await data.columns();
    const datapoints = await data.toArray();
    expect(timestamps).toHaveLength(20_001);
    expect(await data.count()).toBe(20_001);
    expect((await reversed.toArray()).reverse()).toEqual(datapoints);
    for (const letter of ['c', 'l', 's', 'd']) {
      expect([...v![letter]!].map((x) => (Number.isNaN(x) ? null : x))).toEqual(
        datapoints.map((datapoint) => datapoint.v[letter]),
      );
    }
    expect([...t!['m']!]).toEqual(datapoints.map((datapoint) => datapoint.t.m.getTime()));
    expect(await data.at(-1)).toEqual(datapoints.at(-1));
    expect(await data.slice(1, 3).toArray()).toEqual(datapoints.slice(1, 3));
  });

  test('names that are none are refused by saying so', async () => {
    const { datastream } = await open();
    const id = await datastream.ensureStream({ n: 1 }, SECONDS);
    for (const names of [[null], [5], [{}]]) {
      const valueDownsamplers = names as unknown as string[];
      const wanted = /^Expected valueDownsamplers as a list of names/;
      await expect(
        datastream.ensureStream({ n: 2 }, { ...SECONDS, valueDownsamplers }),
      ).rejects.toThrow(wanted);
      for (const change of [
        valueDownsamplers,
        { add: valueDownsamplers },
        { drop: valueDownsamplers },
      ]) {
        await expect(datastream.updateStream(id, { valueDownsamplers: change })).rejects.toThrow(
          wanted,
        );
      }
    }
    expect(await datastream.findStreams().count()).toBe(1);
  });
});
