import assert from 'node:assert/strict';
import type { Datapoint, DataRange, StreamDefinition } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertCode, at, BASE_MS, type Fixture, type Suite } from '../fixture.ts';

const { Seconds10, Minutes, Minutes10 } = Granularity;
const NAMES = ['integral', 'time_weighted_mean', 'coverage'];

/** Integral, mean and coverage of a bucket. */
type Held = readonly [integral: number | null, mean: number | null, coverage: number | null];

const DEFINITION = { valueDownsamplers: NAMES };
const WITH_HEARTBEAT: Partial<StreamDefinition> & { valueDownsamplers: readonly string[] } = {
  valueDownsamplers: NAMES,
  valueTypeOptions: { heartbeat: 15 },
};

function heldOf(v: Readonly<Record<string, unknown>>): Held {
  return [v['i'], v['w'], v['e']] as Held;
}

/** In each way in which the level can be read, which must all agree. */
async function readHeld(
  fixture: Fixture,
  id: StreamId,
  { granularity, live = false }: { granularity: Granularity; live?: boolean },
): Promise<readonly Held[]> {
  const read = (options: object = {}) =>
    fixture.datastream.getData(id, granularity, { start: at(-100_000), live, ...options });
  const all = await read().toArray();
  const held = all.map(({ v }) => heldOf(v));
  const orNull = (number: number | undefined) =>
    number === undefined || Number.isNaN(number) ? null : number;
  const ofColumns = async (data: ReturnType<typeof read>) => {
    const { v, timestamps } = await data.columns();
    return Array.from(timestamps, (_ms, row): Held => {
      const [i, w, e] = ['i', 'w', 'e'].map((letter) => orNull(v?.[letter]?.[row] as number));
      return [i!, w!, e!];
    });
  };
  assert.deepEqual(await ofColumns(read()), held);
  assert.deepEqual(await ofColumns(read({ reverse: true })), held.toReversed());
  const reversed = await read({ reverse: true }).toArray();
  assert.deepEqual(
    reversed.map(({ v }) => heldOf(v)),
    held.toReversed(),
  );
  for (const position of [0, 1, 2, all.length - 1]) {
    const item = await read().at(position);
    assert.deepEqual(item && heldOf(item.v), held[position]);
    const fromEnd = await read().at(-1 - position);
    assert.deepEqual(fromEnd && heldOf(fromEnd.v), held[all.length - 1 - position]);
  }
  const slice = read().slice(1, 4);
  assert.deepEqual(await ofColumns(slice), held.slice(1, 4));
  const chosen = await read({ valueDownsamplers: ['coverage'], timeDownsamplers: [] }).toArray();
  assert.deepEqual(
    chosen,
    all.map(({ v, live: isLive }) => ({ v: { e: v.e }, ...(isLive && { live: true }) })),
  );
  const filled = await read({ fill: 7 }).toArray();
  assert.deepEqual(
    filled.map(({ v }) => heldOf(v)),
    held,
  );
  return held;
}

async function appendAt(
  fixture: Fixture,
  id: StreamId,
  points: readonly (readonly [seconds: number, value: number | null])[],
): Promise<void> {
  for (const [seconds, value] of points) await fixture.datastream.append(id, value, at(seconds));
}

export function heldValuesTopic({ test }: Suite): void {
  test('values are held across buckets, with data or without', async (fixture) => {
    const id = await fixture.ensureWith('a', DEFINITION);
    if (id === null) return;
    await appendAt(fixture, id, [
      [4, 10],
      [6, 20],
      [8, null],
      [35, 30],
      [70, 5],
    ]);
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await readHeld(fixture, id, { granularity: Seconds10 }), [
      [100, 100 / 6, 0.6],
      [200, 20, 1],
      [200, 20, 1],
      [250, 25, 1],
      [300, 30, 1],
      [300, 30, 1],
      [300, 30, 1],
    ]);
    const [minute] = await readHeld(fixture, id, { granularity: Minutes });
    assert.deepEqual(minute, [20 + 29 * 20 + 25 * 30, 1350 / 56, 56 / 60]);
    // A part begins with what was held before it.
    const part = { start: at(20), end: at(30), valueDownsamplers: ['integral'] };
    const inside = await fixture.datastream.getData(id, Seconds10, part).toArray();
    assert.deepEqual(
      inside.map(({ v }) => v),
      [{ i: 200 }, { i: 250 }],
    );
  });

  test('a heartbeat ends what is held', async (fixture) => {
    const id = await fixture.ensureWith('a', WITH_HEARTBEAT);
    if (id === null) return;
    assert.deepEqual((await fixture.datastream.getStream(id)).valueTypeOptions, { heartbeat: 15 });
    await appendAt(fixture, id, [
      [0, 1],
      [5, 2],
      [50, 4],
      [90, 0],
    ]);
    await fixture.datastream.downsampleStreams();
    assert.deepEqual(await readHeld(fixture, id, { granularity: Seconds10 }), [
      [15, 1.5, 1],
      [20, 2, 1],
      [null, null, 0],
      [null, null, 0],
      [null, null, 0],
      [40, 4, 1],
      [20, 4, 0.5],
      [null, null, 0],
      [null, null, 0],
    ]);
    const [minute] = await readHeld(fixture, id, { granularity: Minutes });
    assert.deepEqual(minute, [75, 2.5, 0.5]);
  });

  test('another heartbeat counts from the beginning', async (fixture) => {
    const id = await fixture.ensureWith('a', WITH_HEARTBEAT);
    if (id === null) return;
    const { datastream } = fixture;
    await appendAt(fixture, id, [
      [0, 1],
      [5, 2],
      [50, 4],
      [90, 0],
      [1300, 0],
    ]);
    await datastream.downsampleStreams();
    const minute = async (): Promise<Held | undefined> =>
      (await readHeld(fixture, id, { granularity: Minutes }))[0];
    assert.deepEqual(await minute(), [75, 2.5, 0.5]);
    await datastream.updateStream(id, { heartbeat: 25 });
    assert.deepEqual((await datastream.getStream(id)).valueTypeOptions, { heartbeat: 25 });
    const live = await readHeld(fixture, id, { granularity: Minutes, live: true });
    assert.deepEqual(live[0], [95, 95 / 40, 40 / 60]);
    await datastream.downsampleStreams();
    assert.deepEqual(await minute(), [95, 95 / 40, 40 / 60]);
    await fixture.assertVerified();
    await datastream.updateStream(id, { heartbeat: null });
    await datastream.downsampleStreams();
    assert.deepEqual(await minute(), [5 + 90 + 40, 135 / 60, 1]);
    await fixture.assertVerified();
    for (const heartbeat of [0, -1, Number.NaN, '90']) {
      const change = { heartbeat: heartbeat as number };
      await assertCode(() => datastream.updateStream(id, change), 'UNSUPPORTED_VALUE_TYPE');
    }
    const exact = { valueDownsamplers: ['mean'], valueTypeOptions: { highAccuracy: true } };
    if (!fixture.backend.supports.highAccuracy) return;
    const other = await fixture.ensure('exact', exact);
    const change = () => datastream.updateStream(other, { heartbeat: 5 });
    await assertCode(change, 'UNSUPPORTED_VALUE_TYPE');
  });

  test('a late datapoint makes its own bucket stale alone, and others follow when read', async (fixture) => {
    const id = await fixture.ensureWith('a', DEFINITION);
    if (id === null) return;
    await appendAt(fixture, id, [
      [0, 1],
      [60, 1],
    ]);
    await fixture.datastream.downsampleStreams();
    await fixture.datastream.append(id, 3, at(15), { checkTimestamp: false });
    for await (const { levels } of fixture.datastream.status()) {
      assert.deepEqual(levels[0]!.ranges, [{ start: at(10), end: at(20) }]);
    }
    const wanted = [10, 20, 30, 30, 30, 30];
    const live = await readHeld(fixture, id, { granularity: Seconds10, live: true });
    assert.deepEqual(
      live.slice(0, 6).map(([integral]) => integral),
      wanted,
    );
    await fixture.datastream.downsampleStreams();
    const stored = await readHeld(fixture, id, { granularity: Seconds10 });
    assert.deepEqual(
      stored.map(([integral]) => integral),
      wanted,
    );
  });

  test('a live read holds values until now, and complete buckets to their end', async (fixture) => {
    const id = await fixture.ensureWith('a', DEFINITION);
    if (id === null) return;
    await appendAt(fixture, id, [
      [0, 2],
      [25, 4],
    ]);
    fixture.nowMs = BASE_MS + 27_000;
    const atOnce = await readHeld(fixture, id, { granularity: Seconds10, live: true });
    assert.deepEqual(atOnce, [
      [20, 2, 1],
      [20, 2, 1],
      [18, 18 / 7, 0.7],
    ]);
    const [minute] = await readHeld(fixture, id, { granularity: Minutes, live: true });
    assert.deepEqual(minute, [58, 58 / 27, 27 / 60]);
    fixture.nowMs = BASE_MS + 900_000;
    const later = await readHeld(fixture, id, { granularity: Seconds10, live: true });
    assert.deepEqual(later.at(-1), [30, 3, 1]);
    // A clock behind the data cuts nothing off that is there.
    fixture.nowMs = BASE_MS;
    const behind = await readHeld(fixture, id, { granularity: Seconds10, live: true });
    assert.deepEqual(behind.at(-1), [10, 2, 0.5]);
  });

  test('buckets that a run returns are those that are read then', async (fixture) => {
    const id = await fixture.ensureWith('a', DEFINITION);
    if (id === null) return;
    await appendAt(fixture, id, [
      [0, 2],
      [45, 4],
    ]);
    const returned = await fixture.datastream.downsampleStreams({ returnDatapoints: true });
    await appendAt(fixture, id, [[125, 6]]);
    returned.push(...(await fixture.datastream.downsampleStreams({ returnDatapoints: true })));
    for (const granularity of [Seconds10, Minutes]) {
      const own = returned.filter((item) => item.granularity === granularity);
      const read = await readHeld(fixture, id, { granularity });
      assert(read.length > 0);
      assert.deepEqual(
        own.map(({ datapoint }) => heldOf(datapoint.v)),
        read,
      );
    }
  });

  test('long gaps go through many windows of a read', async (fixture) => {
    const id = await fixture.ensureWith('a', DEFINITION);
    if (id === null) return;
    const days = 3;
    await appendAt(fixture, id, [
      [0, 2],
      [days * 86_400, 4],
      [days * 86_400 + 700, 4],
    ]);
    await fixture.datastream.downsampleStreams();
    const read = { start: at(0), valueDownsamplers: ['integral'] };
    const ways: readonly Pick<DataRange, 'live' | 'reverse'>[] = [
      {},
      { reverse: true },
      { live: true },
      { live: true, reverse: true },
    ];
    for (const options of ways) {
      const all: readonly Datapoint[] = await fixture.datastream
        .getData(id, Seconds10, { ...read, ...options })
        .toArray();
      const stored = options.live === true ? all.filter(({ live }) => !live) : all;
      const integrals = stored.map(({ v }) => v.i);
      const ascending = options.reverse === true ? integrals.reverse() : integrals;
      assert.equal(ascending.length, days * 8640 + 70);
      assert(ascending.every((value, bucket) => value === (bucket < days * 8640 ? 20 : 40)));
    }
    const [hour] = await fixture.datastream.getData(id, Minutes10, read).toArray();
    assert.deepEqual(hour!.v, { i: 1200 });
  });

  test('a heartbeat is a number of seconds of a numeric stream', async (fixture) => {
    const ensure = (options: object) => () =>
      fixture.ensure('a', { valueDownsamplers: ['count'], ...options });
    for (const heartbeat of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, 0.0001]) {
      const valueTypeOptions = { heartbeat } as object;
      await assertCode(ensure({ valueTypeOptions }), 'UNSUPPORTED_VALUE_TYPE');
    }
    const nominal = { valueType: 'nominal', valueTypeOptions: { heartbeat: 5 } };
    await assertCode(ensure(nominal), 'UNSUPPORTED_VALUE_TYPE');
    const both = { valueTypeOptions: { heartbeat: 5, highAccuracy: true } };
    await assertCode(ensure(both), 'UNSUPPORTED_VALUE_TYPE');
    assert.equal(await fixture.datastream.findStreams({ name: 'a' }).count(), 0);
    await ensure({ valueTypeOptions: { heartbeat: 0.5 } })();
    await assertCode(ensure({}), 'INCONSISTENT_STREAM_CONFIGURATION');
    if (!fixture.backend.supports.highAccuracy) return;
    const decimal = { valueDownsamplers: NAMES, valueTypeOptions: { highAccuracy: true } };
    await assertCode(() => fixture.ensure('b', decimal), 'UNSUPPORTED_DOWNSAMPLER');
  });
}
