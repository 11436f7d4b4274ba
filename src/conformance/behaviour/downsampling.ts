import assert from 'node:assert/strict';
import type { AppendedDatapoint } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { at, BASE_MS, type Fixture, type Suite, secondsOf } from '../fixture.ts';

const { Seconds10, Minutes, Minutes10, Hours } = Granularity;

async function series(fixture: Fixture, name: string, seconds: number): Promise<StreamId> {
  const id = await fixture.ensure(name);
  await fixture.appendNumbers(
    id,
    Array.from({ length: seconds }, (_, n) => n),
  );
  return id;
}

/** Counts of buckets on the levels from 10seconds. */
async function bucketCounts({ datastream }: Fixture, id: StreamId): Promise<number[]> {
  const counts: number[] = [];
  for (const granularity of Granularity.values.slice(1)) {
    counts.push(await datastream.getData(id, granularity, { start: at(-86_400) }).count());
  }
  return counts;
}

export function downsamplingTopic({ test }: Suite): void {
  test('§6 200 seconds of data give 19 buckets of 10 s, until later data arrives', async (fixture) => {
    const id = await series(fixture, 'a', 200);
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await bucketCounts(fixture, id), [19, 3, 0, 0, 0, 0]);
    const { downsampledUntil } = await fixture.datastream.getStream(id);
    assert.deepEqual(downsampledUntil['10seconds'], at(190));
    assert.deepEqual(downsampledUntil.minutes, at(180));
    assert.equal(downsampledUntil['10minutes'], null);
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await bucketCounts(fixture, id), [19, 3, 0, 0, 0, 0]);
    await fixture.datastream.append(id, 0, at(200));
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await bucketCounts(fixture, id), [20, 3, 0, 0, 0, 0]);
  });

  test('§6 a level waits for the bucket of the finer one', async (fixture) => {
    // The last bucket of 10 s starts at 12:19:40, so the minute up to 12:20:00 is not complete.
    const id = await series(fixture, 'a', 1200);
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await bucketCounts(fixture, id), [119, 19, 1, 0, 0, 0]);
  });

  test('§6 only buckets that end at or before until are written', async (fixture) => {
    const id = await series(fixture, 'a', 200);
    await fixture.datastream.downsampleStreams({ until: at(100) });
    assert.deepEqual(await bucketCounts(fixture, id), [10, 1, 0, 0, 0, 0]);
    await fixture.datastream.downsampleStreams({ until: at(109.999) });
    assert.deepEqual(await bucketCounts(fixture, id), [10, 1, 0, 0, 0, 0]);
    await fixture.datastream.downsampleStreams({ until: at(110).getTime() });
    assert.deepEqual(await bucketCounts(fixture, id), [11, 1, 0, 0, 0, 0]);
    await fixture.datastream.downsampleStreams({ until: at(50) });
    assert.deepEqual(await bucketCounts(fixture, id), [11, 1, 0, 0, 0, 0]);
  });

  test('§6 until is now when it is not given', async (fixture) => {
    const id = await series(fixture, 'a', 200);
    fixture.nowMs = at(100).getTime();
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await bucketCounts(fixture, id), [10, 1, 0, 0, 0, 0]);
  });

  test('§6 two days between two datapoints are 17 280 buckets of 10 s', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, at(0));
    await fixture.datastream.append(id, 2, at(2 * 86_400));
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await bucketCounts(fixture, id), [17_280, 2879, 287, 47, 7, 2]);
    const counts = await fixture.readLetter(id, Seconds10, 'c');
    assert.deepEqual([counts[0], counts.slice(1).every((count) => count === 0)], [1, true]);
  });

  test('§6 empty buckets have count 0, nulls and their middle as time', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, at(0));
    await fixture.datastream.append(id, 2, at(600));
    await fixture.datastream.downsampleStreams();
    const tens = await fixture.read(id, Seconds10);
    const empty = { m: null, s: null, l: null, u: null, q: null, d: null, c: 0 };
    assert.deepEqual(tens[17]!.v, empty);
    assert.deepEqual(tens[17]!.t, {
      m: at(175),
      a: null,
      z: null,
      i: null,
      l: null,
      u: null,
      q: null,
      d: null,
    });
    const minutes = await fixture.read(id, Minutes);
    assert.equal(minutes.length, 9);
    assert.deepEqual(minutes[5]!.v, empty);
    assert.deepEqual(minutes[5]!.t.m, at(330));
  });

  test('§6 levels are dense from the first datapoint on, wherever it lies', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, at(5047));
    await fixture.datastream.append(id, 1, at(9047));
    await fixture.datastream.downsampleStreams();
    const starts = async (granularity: Granularity) => {
      const { timestamps } = await fixture.datastream
        .getData(id, granularity, { start: BASE_MS })
        .columns();
      return [...timestamps].map((ms) => (ms - BASE_MS) / 1000);
    };
    assert.deepEqual(
      await starts(Seconds10),
      Array.from({ length: 400 }, (_, n) => 5040 + n * 10),
    );
    assert.deepEqual(
      await starts(Minutes10),
      Array.from({ length: 6 }, (_, n) => 4800 + n * 600),
    );
    assert.deepEqual(await starts(Hours), [3600]);
  });

  test('§6 a stream of lower highest granularity has only the levels below it', async (fixture) => {
    const id = await fixture.ensure('a', { highestGranularity: Minutes });
    for (let minute = 0; minute < 75; minute++) {
      await fixture.datastream.append(id, minute, at(minute * 60 + 7));
    }
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await fixture.readLetter(id, Minutes10, 'c'), new Array(7).fill(10));
    assert.equal((await fixture.read(id, Hours)).length, 1);
    assert.equal((await fixture.read(id, Seconds10)).length, 75);
    const { downsampledUntil } = await fixture.datastream.getStream(id);
    assert.deepEqual(Object.keys(downsampledUntil), ['10minutes', 'hours', '6hours', 'days']);
  });

  test('§6 returnDatapoints lists each bucket that was written', async (fixture) => {
    const id = await series(fixture, 'a', 130);
    assert.deepEqual(await fixture.datastream.downsampleStreams({ until: at(20) }), []);
    const written = await fixture.datastream.downsampleStreams({ returnDatapoints: true });
    const key = ({ streamId, granularity, datapoint }: AppendedDatapoint) =>
      `${streamId} ${granularity} ${secondsOf(datapoint.t.a)}`;
    assert.deepEqual(
      written.map(key).sort(),
      [
        ...Array.from({ length: 10 }, (_, n) => `${id} 10seconds ${20 + n * 10}`),
        `${id} minutes 0`,
      ].sort(),
    );
    const minute = written.find(({ granularity }) => granularity === Minutes)!;
    assert.deepEqual([minute.datapoint], await fixture.read(id, Minutes));
    assert.deepEqual(await fixture.datastream.downsampleStreams({ returnDatapoints: true }), []);
  });

  test('§6 only streams that match the query are downsampled', async (fixture) => {
    const a = await series(fixture, 'a', 50);
    const b = await series(fixture, 'b', 50);
    const c = await series(fixture, 'c', 50);
    await fixture.datastream.downsampleStreams({ queryTags: { name: 'a' } });
    await fixture.datastream.downsampleStreams({ queryTags: { stream_id: b } });
    const counts = [];
    for (const id of [a, b, c]) counts.push((await bucketCounts(fixture, id))[0]);
    assert.deepEqual(counts, [4, 4, 0]);
  });

  test('§6 filterStream chooses among the streams', async (fixture) => {
    const a = await series(fixture, 'a', 50);
    const b = await series(fixture, 'b', 50);
    const seen: unknown[] = [];
    await fixture.datastream.downsampleStreams({
      filterStream: ({ id, tags }) => {
        seen.push(tags['name']);
        return id === b;
      },
    });
    assert.deepEqual(seen.sort(), ['a', 'b']);
    assert.equal((await bucketCounts(fixture, a))[0], 0);
    assert.equal((await bucketCounts(fixture, b))[0], 4);
  });

  test('§2 a stream without value downsamplers is never downsampled', async (fixture) => {
    const id = await fixture.ensure('a', { valueDownsamplers: [] });
    await fixture.appendNumbers(id, new Array(200).fill(1));
    assert.deepEqual(await fixture.datastream.downsampleStreams({ returnDatapoints: true }), []);
    assert.deepEqual(await bucketCounts(fixture, id), [0, 0, 0, 0, 0, 0]);
  });

  test('§6 a stream without datapoints is no trouble', async (fixture) => {
    const id = await fixture.ensure('a');
    assert.deepEqual(await fixture.datastream.downsampleStreams({ returnDatapoints: true }), []);
    assert.deepEqual(await bucketCounts(fixture, id), [0, 0, 0, 0, 0, 0]);
    await fixture.datastream.append(id, 1, at(0));
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await bucketCounts(fixture, id), [0, 0, 0, 0, 0, 0]);
    assert.deepEqual(fixture.warnings, []);
  });

  test('§6 many short runs give what one long run gives', async (fixture) => {
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    for (let second = 0; second < 1500; second += 37) {
      await fixture.datastream.append(a, (second * 31) % 101, at(second));
      await fixture.datastream.append(b, (second * 31) % 101, at(second));
      if (second % 5 === 0) {
        await fixture.datastream.downsampleStreams({ queryTags: { name: 'a' }, until: at(second) });
      }
    }
    await fixture.datastream.downsampleStreams();
    for (const granularity of Granularity.values.slice(1)) {
      assert.deepEqual(await fixture.read(a, granularity), await fixture.read(b, granularity));
    }
    await fixture.assertVerified();
  });
}
