import assert from 'node:assert/strict';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { BASE_MS, type Fixture, type Suite } from '../fixture.ts';

const { Milliseconds, Seconds, Seconds10 } = Granularity;
const LATE = { checkTimestamp: false } as const;
const DEFINITION = { highestGranularity: Milliseconds } as const;

/** Raw datapoints as `[milliseconds after BASE_MS, value]`. */
async function rowsOf(
  fixture: Fixture,
  streamId: StreamId,
): Promise<readonly (readonly [number, unknown])[]> {
  const data = fixture.datastream.getData(streamId, Milliseconds, { start: BASE_MS - 10_000 });
  return (await data.toArray()).map(({ t, v }) => [t.getTime() - BASE_MS, v] as const);
}

export function millisecondsTopic({ test }: Suite): void {
  test('a stream keeps milliseconds where they are its highest granularity', async (fixture) => {
    const [exact, cut] = [await fixture.ensure('a', DEFINITION), await fixture.ensure('b')];
    for (const id of [exact, cut]) {
      await fixture.datastream.append(id, 1, new Date(BASE_MS + 1));
      await fixture.datastream.append(id, 2, BASE_MS + 1999.75);
      await fixture.datastream.appendColumns(id, {
        timestamps: Float64Array.of(BASE_MS + 2500, BASE_MS + 3250),
        values: Float64Array.of(3, 4),
      });
    }
    const ticks = [4001, 5002, 6003, 7004];
    for (const offsetMs of ticks) {
      await fixture.datastream.appendTick(BASE_MS + offsetMs, [exact, cut], Float64Array.of(5, 5));
    }
    const values = [1, 2, 3, 4, 5, 5, 5, 5];
    assert.deepEqual(
      await rowsOf(fixture, exact),
      [1, 1999, 2500, 3250, ...ticks].map((ms, row) => [ms, values[row]]),
    );
    assert.deepEqual(
      await rowsOf(fixture, cut),
      [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000].map((ms, row) => [ms, values[row]]),
    );
  });

  test('many items keep their milliseconds, whatever they have in common', async (fixture) => {
    const ids: StreamId[] = [];
    for (const name of ['a', 'b', 'c', 'd']) ids.push(await fixture.ensure(name, DEFINITION));
    ids.push(await fixture.ensure('e'));
    for (let round = 0; round < 4; round++) {
      const items = ids.map((streamId, column) => ({
        streamId,
        value: column,
        timestamp: BASE_MS + round * 1000 + 17 + column,
      }));
      await fixture.datastream.appendMultiple(items);
    }
    for (let round = 4; round < 8; round++) {
      const timestamp = new Date(BASE_MS + round * 1000 + 17);
      await fixture.datastream.appendTick(timestamp, ids.slice(0, 4), new Float64Array(4));
    }
    for (const [column, id] of ids.slice(0, 4).entries()) {
      const offsets = (await rowsOf(fixture, id)).map(([ms]) => ms);
      assert.deepEqual(
        offsets.slice(0, 4),
        [17, 1017, 2017, 3017].map((ms) => ms + column),
      );
      assert.deepEqual(offsets.slice(4), [4017, 5017, 6017, 7017]);
    }
    const seconds = (await rowsOf(fixture, ids[4]!)).map(([ms]) => ms);
    assert.deepEqual(seconds, [0, 1000, 2000, 3000]);
  });

  test('seconds are a level of it, exact after late data and corrections', async (fixture) => {
    const id = await fixture.ensure('a', DEFINITION);
    const { levels } = await fixture.datastream.getStream(id);
    assert.deepEqual(levels, Granularity.values);
    await fixture.datastream.appendColumns(id, {
      timestamps: Float64Array.from({ length: 300 }, (_, row) => BASE_MS + row * 100),
      values: new Float64Array(300).fill(1),
    });
    await fixture.datastream.downsampleStreams();
    await fixture.datastream.append(id, 7, BASE_MS + 1234, LATE);
    const bounds = { start: BASE_MS + 2100, endExclusive: BASE_MS + 2301 };
    await fixture.datastream.replaceData(id, bounds, [{ timestamp: BASE_MS + 2150, value: 9 }]);
    await fixture.datastream.upsert(id, 5, BASE_MS + 3100);
    await fixture.datastream.deleteData(id, {
      startExclusive: BASE_MS + 4800,
      end: BASE_MS + 4900,
    });
    await fixture.datastream.downsampleStreams();
    const counts = await fixture.readLetter(id, Seconds, 'c');
    assert.deepEqual(counts.slice(0, 6), [10, 11, 8, 10, 9, 10]);
    const sums = await fixture.readLetter(id, Seconds, 's');
    assert.deepEqual(sums.slice(0, 6), [10, 17, 16, 14, 9, 10]);
    assert.equal((await fixture.readLetter(id, Seconds10, 'c'))[0], 98);
    await fixture.assertVerified();
  });

  test('a range begins and ends at its milliseconds', async (fixture) => {
    const id = await fixture.ensure('a', DEFINITION);
    await fixture.datastream.appendColumns(id, {
      timestamps: Float64Array.of(BASE_MS + 100, BASE_MS + 500, BASE_MS + 900),
      values: Float64Array.of(1, 2, 3),
    });
    const valuesOf = async (range: object): Promise<readonly unknown[]> => {
      const data = fixture.datastream.getData(id, Milliseconds, range as { start: number });
      return (await data.toArray()).map(({ v }) => v);
    };
    assert.deepEqual(await valuesOf({ start: BASE_MS + 500 }), [2, 3]);
    assert.deepEqual(await valuesOf({ startExclusive: BASE_MS + 500 }), [3]);
    assert.deepEqual(await valuesOf({ start: BASE_MS, end: BASE_MS + 500 }), [1, 2]);
    assert.deepEqual(await valuesOf({ start: BASE_MS, endExclusive: BASE_MS + 500 }), [1]);
  });

  test('a stream derives from it by the millisecond', async (fixture) => {
    const source = await fixture.ensure('a', DEFINITION);
    const id = await fixture.derive('b', 'derivative', source, DEFINITION);
    await fixture.datastream.append(source, 1, BASE_MS + 250);
    await fixture.datastream.append(source, 2, BASE_MS + 750);
    assert.deepEqual(await rowsOf(fixture, id), [[750, 2]]);
    await fixture.assertVerified();
  });
}
