import assert from 'node:assert/strict';
import { Granularity, lowerGranularities } from '../../model/granularity.ts';
import { assertCode, assertJson, at, defined, type Suite } from '../fixture.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function ensureStreamTopic({ test }: Suite): void {
  test('§2 ensureStream() creates a stream with the query tags and the tags', async (fixture) => {
    const { datastream } = fixture;
    const id = await datastream.ensureStream(
      { node: 'a', place: { city: 'Ljubljana' } },
      defined({ tags: { unit: 'B/s', place: { floor: 2 } } }),
    );
    assert.match(id, UUID);
    assertJson(await datastream.getTags(id), {
      node: 'a',
      unit: 'B/s',
      place: { city: 'Ljubljana', floor: 2 },
    });
  });

  test('§2 a new stream describes itself', async ({ datastream }) => {
    const id = await datastream.ensureStream({ name: 'a' }, defined());
    const stream = await datastream.getStream(id);
    assert.equal(stream.id, id);
    assertJson(stream.tags, { name: 'a' });
    assert.equal(stream.valueType, 'numeric');
    assert.equal(stream.valueTypeOptions.highAccuracy ?? false, false);
    assert.equal(stream.highestGranularity, Granularity.Seconds);
    assert.equal(stream.earliestDatapoint, null);
    assert.equal(stream.latestDatapoint, null);
    assert.equal(stream.derivedFrom, null);
    assert.deepEqual(stream.contributesTo, []);
    assert.equal(stream.pendingBackprocess, false);
    assert.deepEqual(
      stream.downsampledUntil,
      Object.fromEntries(lowerGranularities('seconds').map(({ name }) => [name, null])),
    );
  });

  test('§2 a descriptor follows the datapoints and the downsampling', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, [1, 2, 3], 5);
    await fixture.datastream.append(id, 4, at(65));
    await fixture.datastream.downsampleStreams();
    const stream = await fixture.datastream.getStream(id);
    assert.deepEqual(stream.earliestDatapoint, at(5));
    assert.deepEqual(stream.latestDatapoint, at(65));
    assert.deepEqual(stream.downsampledUntil['10seconds'], at(60));
    assert.equal(stream.downsampledUntil.minutes, null);
  });

  test('§2 createStream() creates what is not there, and leaves what is', async (fixture) => {
    const { datastream } = fixture;
    const id = await datastream.createStream({ name: 'a' }, defined({ tags: { unit: 'W' } }));
    assert.match(id!, UUID);
    assert.equal(
      await datastream.createStream({ name: 'a' }, defined({ tags: { unit: 'kW' } })),
      null,
    );
    assertJson(await datastream.getTags(id!), { name: 'a', unit: 'W' });
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => datastream.createStream({ name: 'b' }, defined())),
    );
    assert.equal(ids.filter((created) => created !== null).length, 1);
    assert.equal(await datastream.findStreams().count(), 2);
  });

  test('§2 ensureStream() finds what it created, and other streams stay apart', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    assert.notEqual(a, b);
    assert.equal(await fixture.ensure('a'), a);
    assert.equal(await fixture.datastream.findStreams().count(), 2);
  });

  test('§2 concurrent ensureStream() calls create one stream', async (fixture) => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => fixture.ensure('a')));
    assert.equal(new Set(ids).size, 1);
    assert.equal(await fixture.datastream.findStreams({ name: 'a' }).count(), 1);
  });

  test('§2 ensureStream() replaces the tags of what it finds', async ({ datastream }) => {
    const query = { name: 'a' };
    const id = await datastream.ensureStream(query, defined({ tags: { x: 1, y: 2 } }));
    const again = await datastream.ensureStream(query, defined({ tags: { x: 3, z: 4 } }));
    assert.equal(again, id);
    assertJson(await datastream.getTags(id), { name: 'a', x: 3, z: 4 });
  });

  test('§2 ensureStream() refuses tags that find several streams', async ({ datastream }) => {
    await datastream.ensureStream({ name: 'a', kind: 'x' }, defined());
    await datastream.ensureStream({ name: 'b', kind: 'x' }, defined());
    const call = () => datastream.ensureStream({ kind: 'x' }, defined());
    await assertCode(call, 'MULTIPLE_STREAMS_RETURNED');
    assert.equal(await datastream.findStreams().count(), 2);
  });

  test('§2 what cannot change of a stream is INCONSISTENT_STREAM_CONFIGURATION', async (fixture) => {
    const code = 'INCONSISTENT_STREAM_CONFIGURATION';
    const source = await fixture.ensure('source');
    const other = await fixture.ensure('other');
    await fixture.ensure('plain');
    await fixture.derive('sum', 'sum', [source, other]);
    await fixture.derive('rate', 'derivative', source);
    for (const changes of [
      { valueType: 'nominal' as const },
      { valueTypeOptions: { highAccuracy: true } },
      { deriveFrom: source, deriveOp: 'derivative' },
    ]) {
      await assertCode(() => fixture.ensure('plain', changes), code);
    }
    await assertCode(() => fixture.ensure('rate'), code);
    await assertCode(() => fixture.derive('rate', 'sum', source), code);
    await assertCode(() => fixture.derive('rate', 'derivative', other), code);
    await assertCode(() => fixture.derive('sum', 'sum', [source]), code);
    // The same derivation is no change.
    await fixture.derive('sum', 'sum', [source, other]);
  });

  test('§2 a refused ensureStream() leaves the stream as it was', async (fixture) => {
    const id = await fixture.ensure('a', { tags: { x: 1 } });
    const before = await fixture.datastream.getStream(id);
    await assertCode(
      () => fixture.ensure('a', { valueType: 'graph', tags: { x: 2 } }),
      'INCONSISTENT_STREAM_CONFIGURATION',
    );
    assert.deepEqual(await fixture.datastream.getStream(id), before);
  });

  test('§2 downsamplers bring their dependencies', async (fixture) => {
    const downsamplersOf = async (name: string, valueDownsamplers: readonly string[]) => {
      const id = await fixture.ensure(name, { valueDownsamplers });
      const stream = await fixture.datastream.getStream(id);
      return [...stream.valueDownsamplers].sort();
    };
    assert.deepEqual(await downsamplersOf('min', ['min']), ['count', 'min']);
    assert.deepEqual(await downsamplersOf('mean', ['mean']), ['count', 'mean', 'sum']);
    assert.deepEqual(await downsamplersOf('std', ['std_dev']), [
      'count',
      'std_dev',
      'sum',
      'sum_squares',
    ]);
    assert.deepEqual(await downsamplersOf('none', []), []);
  });

  test('§2 every stream has all time downsamplers that the store has', async (fixture) => {
    const { timeDownsamplers } = await fixture.datastream.getStream(await fixture.ensure('a'));
    const all = [
      'first',
      'intervals_max',
      'intervals_mean',
      'intervals_min',
      'intervals_std_dev',
      'intervals_sum_squares',
      'last',
      'mean',
    ];
    const wanted = all.filter((name) => fixture.hasTime(name));
    assert.deepEqual([...timeDownsamplers].sort(), wanted);
    const [found] = await fixture.datastream.findStreams({ name: 'a' }).toArray();
    assert.deepEqual([...found!.timeDownsamplers].sort(), wanted);
    const seen: (readonly string[])[] = [];
    await fixture.datastream.downsampleStreams({
      filterStream: (stream) => seen.push(stream.timeDownsamplers) === 0,
    });
    assert.deepEqual(seen, [timeDownsamplers]);
  });

  test('§8 unknown names are refused and nothing is created', async (fixture) => {
    const cases = [
      [{ valueDownsamplers: ['average'] }, 'UNSUPPORTED_DOWNSAMPLER'],
      [{ valueDownsamplers: ['most_often'] }, 'UNSUPPORTED_DOWNSAMPLER'],
      [{ valueType: 'nominal', valueDownsamplers: ['mean'] }, 'UNSUPPORTED_DOWNSAMPLER'],
      [{ valueType: 'graph', valueDownsamplers: ['frequencies'] }, 'UNSUPPORTED_DOWNSAMPLER'],
      [{ highestGranularity: 'weeks' }, 'UNSUPPORTED_GRANULARITY'],
      [{ highestGranularity: { name: 'toString' } }, 'UNSUPPORTED_GRANULARITY'],
      [{ valueType: 'text' as 'nominal' }, 'UNSUPPORTED_VALUE_TYPE'],
      [{ valueTypeOptions: { precision: 3 } as object }, 'UNSUPPORTED_VALUE_TYPE'],
    ] as const;
    for (const [definition, code] of cases) {
      await assertCode(() => fixture.ensure('a', definition), code);
    }
    assert.equal(await fixture.datastream.findStreams().count(), 0);
  });

  test('§2 granularities are taken by name or as they are', async (fixture) => {
    const a = await fixture.ensure('a', { highestGranularity: 'hours' });
    const b = await fixture.ensure('b', { highestGranularity: Granularity.Hours });
    for (const id of [a, b]) {
      const stream = await fixture.datastream.getStream(id);
      assert.equal(stream.highestGranularity, Granularity.Hours);
      assert.deepEqual(Object.keys(stream.downsampledUntil), ['6hours', 'days']);
    }
  });
}
