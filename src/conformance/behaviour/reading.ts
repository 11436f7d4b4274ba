import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { DataRange } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, assertMisuse, at, type Fixture, type Suite } from '../fixture.ts';

const { Seconds, Seconds10, Minutes, Hours } = Granularity;

/** One value a second for 1200 s, all downsampled. */
async function twentyMinutes(fixture: Fixture): Promise<StreamId> {
  const id = await fixture.ensure('a');
  await fixture.appendNumbers(
    id,
    Array.from({ length: 1200 }, (_, n) => n),
  );
  await fixture.datastream.downsampleStreams();
  return id;
}

/** The four kinds of bounds around the first minute. */
const BOUNDS: readonly (readonly [string, DataRange])[] = [
  ['both included', { start: at(0), end: at(60) }],
  ['start excluded', { startExclusive: at(0), end: at(60) }],
  ['end excluded', { start: at(0), endExclusive: at(60) }],
  ['both excluded', { startExclusive: at(0), endExclusive: at(60) }],
];

export function readingTopic({ test }: Suite): void {
  test('§5 a minute of seconds has 61 / 60 / 60 / 59 datapoints', async (fixture) => {
    const id = await twentyMinutes(fixture);
    const counts = [];
    for (const [, range] of BOUNDS) counts.push((await fixture.read(id, Seconds, range)).length);
    assert.deepEqual(counts, [61, 60, 60, 59]);
  });

  test('§5 a minute of 10seconds has 7 / 6 / 6 / 5 buckets', async (fixture) => {
    const id = await twentyMinutes(fixture);
    const counts = [];
    for (const [, range] of BOUNDS) counts.push((await fixture.read(id, Seconds10, range)).length);
    assert.deepEqual(counts, [7, 6, 6, 5]);
  });

  for (const [index, [name, range]] of BOUNDS.entries()) {
    test(`§5 reversed reading gives the same backwards: ${name}`, async (fixture) => {
      const id = await twentyMinutes(fixture);
      for (const granularity of [Seconds, Seconds10]) {
        const forward = await fixture.read(id, granularity, range);
        const backward = await fixture.read(id, granularity, { ...range, reverse: true });
        assert.deepEqual(backward, forward.toReversed());
        assert.equal(
          forward.length,
          (granularity === Seconds ? [61, 60, 60, 59] : [7, 6, 6, 5])[index],
        );
      }
    });
  }

  test('§5 bounds inside a bucket are those of its start', async (fixture) => {
    const id = await twentyMinutes(fixture);
    const starts = async (range: DataRange) =>
      (await fixture.read(id, Seconds10, range)).map((bucket) => fixture.startOf(bucket));
    assert.deepEqual(await starts({ start: at(15), end: at(35) }), [10, 20, 30]);
    assert.deepEqual(await starts({ startExclusive: at(15), end: at(35) }), [20, 30]);
    assert.deepEqual(await starts({ start: at(15), endExclusive: at(35) }), [10, 20, 30]);
    assert.deepEqual(await starts({ start: at(15), endExclusive: at(30) }), [10, 20]);
    assert.deepEqual(await starts({ startExclusive: at(19), endExclusive: at(30) }), [20]);
    assert.deepEqual(await starts({ start: at(39), end: at(30) }), [30]);
    assert.deepEqual(await starts({ start: at(40), end: at(30) }), []);
  });

  test('§5 a range without an end goes to the last datapoint', async (fixture) => {
    const id = await twentyMinutes(fixture);
    assert.equal((await fixture.read(id, Seconds, { start: at(1190) })).length, 10);
    assert.equal((await fixture.read(id, Seconds, { startExclusive: at(1190) })).length, 9);
    assert.equal((await fixture.read(id, Seconds, { start: at(1200) })).length, 0);
    const tens = fixture.byLevels({ stored: 2, computed: 3 });
    assert.equal((await fixture.read(id, Seconds10, { start: at(1170) })).length, tens);
    const [last] = await fixture.read(id, Seconds, { start: at(-100), reverse: true });
    assert.deepEqual(last, { t: at(1199), v: 1199 });
  });

  test('§5 bounds are dates or epoch milliseconds; a start takes in its whole second', async (fixture) => {
    const id = await twentyMinutes(fixture);
    const read = async (range: DataRange) => (await fixture.read(id, Seconds, range)).length;
    assert.equal(await read({ start: at(10).getTime(), end: at(12).getTime() }), 3);
    assert.equal(await read({ start: at(10.5), end: at(12.5) }), 3);
    assert.equal(await read({ startExclusive: at(9.5), endExclusive: at(12.5) }), 3);
  });

  test('§5 a wrong number of bounds is misuse', async (fixture) => {
    const id = await fixture.ensure('a');
    for (const range of [
      {},
      { end: at(1) },
      { start: at(0), startExclusive: at(0) },
      { start: at(0), end: at(1), endExclusive: at(1) },
    ]) {
      await assertMisuse(() => fixture.read(id, Seconds, range));
    }
  });

  test('§5 a bound that is no instant is refused', async (fixture) => {
    const id = await fixture.ensure('a');
    for (const bound of [Number.NaN, new Date(Number.NaN), 'today' as unknown as Date]) {
      await assertCode(() => fixture.read(id, Seconds, { start: bound }), 'INVALID_TIMESTAMP');
      await assertCode(
        () => fixture.read(id, Seconds, { start: at(0), end: bound }),
        'INVALID_TIMESTAMP',
      );
    }
  });

  test('§5 a raw datapoint is {t, v}, a downsampled one has letters', async (fixture) => {
    const id = await twentyMinutes(fixture);
    const [raw] = await fixture.read(id, Seconds);
    assert.deepEqual(raw, { t: at(0), v: 0 });
    const [bucket] = await fixture.read(id, Seconds10);
    assert.deepEqual(Object.keys(bucket!).sort(), ['t', 'v']);
    assert.deepEqual(Object.keys(bucket!.v).sort(), ['c', 'd', 'l', 'm', 'q', 's', 'u']);
    const { timeDownsamplers } = fixture.backend.supports;
    const letters = timeDownsamplers === 'all' ? ['a', 'd', 'i', 'l', 'm', 'q', 'u', 'z'] : ['m'];
    assert.deepEqual(Object.keys(bucket!.t).sort(), letters);
    if (timeDownsamplers !== 'all') assert.deepEqual(bucket!.t, { m: at(0) });
  });

  test('§5 naming downsamplers limits the letters', async (fixture) => {
    const id = await twentyMinutes(fixture);
    const read = async (selection: Partial<DataRange>) =>
      (await fixture.read(id, Seconds10, { start: at(0), ...selection }))[0]!;
    const limited = await read({ valueDownsamplers: ['min', 'mean'], timeDownsamplers: ['first'] });
    const first = fixture.hasTime('first') ? { a: at(0) } : {};
    assert.deepEqual(limited, { t: first, v: { l: 0, m: 4.5 } });
    const withoutTime = await read({ valueDownsamplers: ['max'], timeDownsamplers: [] });
    assert.deepEqual(withoutTime, { v: { u: 9 } });
    const withoutValue = await read({ valueDownsamplers: [], timeDownsamplers: ['last'] });
    assert.deepEqual(withoutValue, { t: fixture.hasTime('last') ? { z: at(9) } : {} });
    const mean = await read({ valueDownsamplers: [], timeDownsamplers: ['mean'] });
    assert.deepEqual(mean, { t: { m: at(fixture.hasTime('first') ? 4 : 0) } });
    assert.deepEqual(await read({ valueDownsamplers: [], timeDownsamplers: [] }), {});
  });

  test('§5 unknown downsamplers are refused; those that the stream lacks are left out', async (fixture) => {
    const id = await fixture.ensure('a', { valueDownsamplers: ['count'] });
    await fixture.appendNumbers(id, new Array(61).fill(1));
    await fixture.datastream.append(id, 1, at(70));
    await fixture.datastream.downsampleStreams();
    for (const selection of [
      { valueDownsamplers: ['average'] },
      { timeDownsamplers: ['median'] },
    ]) {
      await assertCode(
        () => fixture.read(id, Minutes, { start: at(0), ...selection }),
        'UNSUPPORTED_DOWNSAMPLER',
      );
    }
    const selection = { valueDownsamplers: ['mean', 'count'], timeDownsamplers: [] };
    assert.deepEqual(await fixture.read(id, Minutes, { start: at(0), ...selection }), [
      { v: { c: 60 } },
      ...fixture.byLevels({ stored: [], computed: [{ v: { c: 2 } }] }),
    ]);
  });

  test('§5 the selection is ignored on the highest granularity', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 7, at(0));
    const selection = { start: at(0), valueDownsamplers: [], timeDownsamplers: ['mean'] };
    assert.deepEqual(await fixture.read(id, Seconds, selection), [{ t: at(0), v: 7 }]);
  });

  test('§1 a query above the highest granularity is answered from it', async (fixture) => {
    const id = await fixture.ensure('a', { highestGranularity: Minutes });
    await fixture.datastream.append(id, 7, at(5));
    await fixture.datastream.append(id, 8, at(65));
    for (const granularity of [Seconds, Seconds10, Minutes]) {
      assert.deepEqual(await fixture.read(id, granularity, { start: at(0), end: at(64) }), [
        { t: at(5), v: 7 },
      ]);
    }
    assert.deepEqual(
      await fixture.readLetter(id, Hours, 'c'),
      fixture.byLevels({ stored: [], computed: [2] }),
    );
  });

  test('§8 an unknown granularity is refused', async (fixture) => {
    const id = await fixture.ensure('a');
    const weeks = { ...Seconds, name: 'weeks' } as unknown as Granularity;
    await assertCode(() => fixture.read(id, weeks, { start: at(0) }), 'UNSUPPORTED_GRANULARITY');
  });

  test('§5 an unknown or deleted stream is STREAM_NOT_FOUND', async (fixture) => {
    const unknown = randomUUID() as string as StreamId;
    const read = (id: StreamId) => fixture.read(id, Seconds, { start: at(0) });
    await assertCode(() => read(unknown), 'STREAM_NOT_FOUND');
    const id = await fixture.ensure('a');
    await fixture.datastream.append(id, 1, at(0));
    assert.equal((await read(id)).length, 1);
    await fixture.datastream.deleteStreams({ name: 'a' });
    await assertCode(() => read(id), 'STREAM_NOT_FOUND');
    await assertCode(() => fixture.datastream.append(id, 1, at(1)), 'STREAM_NOT_FOUND');
  });
}
