import assert from 'node:assert/strict';
import type { AppendedDatapoint } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { at, BASE_MS, type Fixture, type Suite } from '../fixture.ts';

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

async function assertCounts(
  fixture: Fixture,
  id: StreamId,
  wanted: { readonly stored: readonly number[]; readonly computed: readonly number[] },
): Promise<void> {
  assert.deepEqual(await bucketCounts(fixture, id), fixture.byLevels(wanted));
}

export function downsamplingTopic({ test }: Suite): void {
  test('§6 200 seconds of data give 19 buckets of 10 s, until later data arrives', async (fixture) => {
    const id = await series(fixture, 'a', 200);
    await fixture.datastream.downsampleStreams();
    await assertCounts(fixture, id, { stored: [19, 3, 0, 0, 0, 0], computed: [20, 4, 1, 1, 1, 1] });
    const { downsampledUntil } = await fixture.datastream.getStream(id);
    assert.deepEqual(downsampledUntil['10seconds'], at(190));
    assert.deepEqual(downsampledUntil.minutes, at(180));
    assert.equal(downsampledUntil['10minutes'], null);
    await fixture.datastream.downsampleStreams();
    await assertCounts(fixture, id, { stored: [19, 3, 0, 0, 0, 0], computed: [20, 4, 1, 1, 1, 1] });
    assert.deepEqual(await fixture.watermarks(id), [190, 180, null, null, null, null]);
    await fixture.datastream.append(id, 0, at(200));
    await fixture.datastream.downsampleStreams();
    await assertCounts(fixture, id, { stored: [20, 3, 0, 0, 0, 0], computed: [21, 4, 1, 1, 1, 1] });
    assert.deepEqual(await fixture.watermarks(id), [200, 180, null, null, null, null]);
  });

  test('§6 a level waits for the bucket of the finer one', async (fixture) => {
    // The last bucket of 10 s starts at 12:19:40, so the minute up to 12:20:00 is not complete.
    const id = await series(fixture, 'a', 1200);
    await fixture.datastream.downsampleStreams();
    await assertCounts(fixture, id, {
      stored: [119, 19, 1, 0, 0, 0],
      computed: [120, 20, 2, 1, 1, 1],
    });
    assert.deepEqual(await fixture.watermarks(id), [1190, 1140, 600, null, null, null]);
  });

  test('§6 only buckets that end at or before until are written', async (fixture) => {
    const id = await series(fixture, 'a', 200);
    const downsample = async (until: Date | number, wanted: readonly [number, number]) => {
      const [tens, minutes] = wanted;
      await fixture.datastream.downsampleStreams({ until });
      const watermarks = [tens * 10, minutes * 60, null, null, null, null];
      assert.deepEqual(await fixture.watermarks(id), watermarks);
      await assertCounts(fixture, id, {
        stored: [tens, minutes, 0, 0, 0, 0],
        computed: [20, 4, 1, 1, 1, 1],
      });
    };
    await downsample(at(100), [10, 1]);
    await downsample(at(109.999), [10, 1]);
    await downsample(at(110).getTime(), [11, 1]);
    await downsample(at(50), [11, 1]);
  });

  test('§6 until is now when it is not given', async (fixture) => {
    const id = await series(fixture, 'a', 200);
    fixture.nowMs = at(100).getTime();
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await fixture.watermarks(id), [100, 60, null, null, null, null]);
    await assertCounts(fixture, id, { stored: [10, 1, 0, 0, 0, 0], computed: [20, 4, 1, 1, 1, 1] });
  });

  test('§6 two days between two datapoints are 17 280 buckets of 10 s', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, at(0));
    await fixture.datastream.append(id, 2, at(2 * 86_400));
    await fixture.datastream.downsampleStreams();
    await assertCounts(fixture, id, {
      stored: [17_280, 2879, 287, 47, 7, 2],
      computed: [17_281, 2881, 289, 49, 9, 3],
    });
    const counts = (await fixture.readLetter(id, Seconds10, 'c')).slice(0, 17_280);
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
    const noTimes = { a: null, z: null, i: null, l: null, u: null, q: null, d: null };
    // A mean that is the bucket's start is so without data, too.
    const middles = fixture.hasTime('first');
    assert.deepEqual(tens[17]!.t, middles ? { m: at(175), ...noTimes } : { m: at(170) });
    const minutes = await fixture.read(id, Minutes);
    assert.equal(minutes.length, fixture.byLevels({ stored: 9, computed: 11 }));
    assert.deepEqual(minutes[5]!.v, empty);
    assert.deepEqual(minutes[5]!.t.m, at(middles ? 330 : 300));
    const { t } = await fixture.datastream.getData(id, Minutes, { start: at(0) }).columns();
    assert.equal(t!['m']![5], at(middles ? 330 : 300).getTime());
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
      Array.from(
        { length: fixture.byLevels({ stored: 400, computed: 401 }) },
        (_, n) => 5040 + n * 10,
      ),
    );
    assert.deepEqual(
      await starts(Minutes10),
      Array.from(
        { length: fixture.byLevels({ stored: 6, computed: 8 }) },
        (_, n) => 4800 + n * 600,
      ),
    );
    assert.deepEqual(
      await starts(Hours),
      fixture.byLevels({ stored: [3600], computed: [3600, 7200] }),
    );
  });

  test('§6 a stream of lower highest granularity has only the levels below it', async (fixture) => {
    const id = await fixture.ensure('a', { highestGranularity: Minutes });
    for (let minute = 0; minute < 75; minute++) {
      await fixture.datastream.append(id, minute, at(minute * 60 + 7));
    }
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await fixture.readLetter(id, Minutes10, 'c'), [
      ...new Array(7).fill(10),
      ...fixture.byLevels({ stored: [], computed: [5] }),
    ]);
    const hourCount = fixture.byLevels({ stored: 1, computed: 2 });
    assert.equal((await fixture.read(id, Hours)).length, hourCount);
    assert.equal((await fixture.read(id, Seconds10)).length, 75);
    const { downsampledUntil } = await fixture.datastream.getStream(id);
    assert.deepEqual(Object.keys(downsampledUntil), ['10minutes', 'hours', '6hours', 'days']);
  });

  test('§6 returnDatapoints lists each bucket that was written', async (fixture) => {
    const id = await series(fixture, 'a', 130);
    assert.deepEqual(await fixture.datastream.downsampleStreams({ until: at(20) }), []);
    const written = await fixture.datastream.downsampleStreams({ returnDatapoints: true });
    const key = ({ streamId, granularity, datapoint }: AppendedDatapoint) =>
      `${streamId} ${granularity} ${fixture.startOf(datapoint)}`;
    assert.deepEqual(
      written.map(key).sort(),
      [
        ...Array.from({ length: 10 }, (_, n) => `${id} 10seconds ${20 + n * 10}`),
        `${id} minutes 0`,
      ].sort(),
    );
    const minute = written.find(({ granularity }) => granularity === Minutes)!;
    assert.deepEqual(minute.datapoint, (await fixture.read(id, Minutes))[0]);
    assert.deepEqual(await fixture.datastream.downsampleStreams({ returnDatapoints: true }), []);
  });

  test('§6 only streams that match the query are downsampled', async (fixture) => {
    const a = await series(fixture, 'a', 50);
    const b = await series(fixture, 'b', 50);
    const c = await series(fixture, 'c', 50);
    await fixture.datastream.downsampleStreams({ queryTags: { name: 'a' } });
    await fixture.datastream.downsampleStreams({ queryTags: { stream_id: b } });
    const watermarks = [];
    for (const id of [a, b, c]) watermarks.push((await fixture.watermarks(id))[0]);
    assert.deepEqual(watermarks, [40, 40, null]);
    for (const [index, id] of [a, b, c].entries()) {
      const stored = [4, 4, 0][index];
      assert.equal((await bucketCounts(fixture, id))[0], fixture.byLevels({ stored, computed: 5 }));
    }
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
    assert.deepEqual(
      [(await fixture.watermarks(a))[0], (await fixture.watermarks(b))[0]],
      [null, 40],
    );
    const tens = async (id: StreamId) => (await bucketCounts(fixture, id))[0];
    assert.equal(await tens(a), fixture.byLevels({ stored: 0, computed: 5 }));
    assert.equal(await tens(b), fixture.byLevels({ stored: 4, computed: 5 }));
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
    await assertCounts(fixture, id, { stored: [0, 0, 0, 0, 0, 0], computed: [1, 1, 1, 1, 1, 1] });
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
