import assert from 'node:assert/strict';
import type { Datapoint } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { assertMisuse, at, type Fixture, type Suite } from '../fixture.ts';

const { Seconds10, Minutes, Hours } = Granularity;
const LIVE = { start: at(-1000), live: true } as const;

/** A number a second, each a second's number, up to and with second 130. */
async function filled(fixture: Fixture): Promise<StreamId> {
  const id = await fixture.ensure('a');
  const numbers = Array.from({ length: 131 }, (_, second) => second);
  await fixture.appendNumbers(id, numbers);
  return id;
}

function brief(datapoints: readonly Datapoint[]): readonly (readonly [number, boolean])[] {
  return datapoints.map(({ v, live }) => [v.s, live === true] as const);
}

export function liveTailTopic({ test }: Suite): void {
  test('live buckets are there right after an append, on every level, and are marked', async (fixture) => {
    const { datastream } = fixture;
    const id = await filled(fixture);
    assert.deepEqual(brief(await fixture.read(id, Minutes, LIVE)), [
      [1770, true],
      [5370, true],
      [1375, true],
    ]);
    const [hour] = await fixture.read(id, Hours, LIVE);
    assert.equal(hour!.v.c, 131);
    await datastream.append(id, 1000, at(131));
    assert.deepEqual(brief(await fixture.read(id, Minutes, LIVE)).at(-1), [2375, true]);
    assert.deepEqual(brief(await fixture.read(id, Hours, LIVE)), [[9515, true]]);
  });

  test('only what is stale or not complete is computed, and marked', async (fixture) => {
    const { datastream } = fixture;
    const id = await filled(fixture);
    await datastream.downsampleStreams();
    const isStored = fixture.backend.supports.levels === 'stored';
    assert.deepEqual(brief(await fixture.read(id, Minutes, LIVE)), [
      [1770, false],
      [5370, false],
      [1375, true],
    ]);
    const stored = await fixture.read(id, Minutes);
    assert.equal(stored.length, isStored ? 2 : 3);
    assert(stored.every((datapoint) => !('live' in datapoint)));
    await datastream.upsert(id, 70, at(7));
    if (isStored) assert.equal((await fixture.read(id, Minutes))[0]!.v.s, 1770);
    const [corrected, kept] = await fixture.read(id, Minutes, LIVE);
    assert.equal(corrected!.v.s, 1833);
    if (isStored) assert.equal(corrected!.live, true);
    assert.equal(kept!.live, undefined);
    await datastream.downsampleStreams();
    const tens = await fixture.read(id, Seconds10, LIVE);
    assert.deepEqual(brief(tens).slice(0, 2), [
      [108, false],
      [145, false],
    ]);
    assert.deepEqual(brief(tens).at(-1), [130, true]);
    await fixture.assertVerified();
  });

  test('live reads may be sliced, reversed, counted, and taken as columns', async (fixture) => {
    const id = await filled(fixture);
    await fixture.datastream.downsampleStreams({ until: at(60) });
    const data = fixture.datastream.getData(id, Seconds10, LIVE);
    assert.equal(await data.count(), 14);
    assert.deepEqual(brief([(await data.at(-1))!]), [[130, true]]);
    assert.deepEqual(brief(await data.slice(5, 7).toArray()), [
      [545, false],
      [645, true],
    ]);
    const { timestamps, v, live } = await data.columns();
    assert.equal(timestamps.length, 14);
    assert.deepEqual([...v!['s']!].slice(5, 7), [545, 645]);
    assert.deepEqual([...live!], [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    const reversed = fixture.datastream.getData(id, Seconds10, { ...LIVE, reverse: true });
    assert.deepEqual(brief(await reversed.slice(7, 9).toArray()), [
      [645, true],
      [545, false],
    ]);
    assert.deepEqual([...(await reversed.columns()).live!].slice(7, 9), [1, 0]);
    const selected = await fixture.read(id, Minutes, { ...LIVE, valueDownsamplers: ['max'] });
    assert.deepEqual(
      selected.map(({ v: values }) => values),
      [{ u: 59 }, { u: 119 }, { u: 130 }],
    );
  });

  test('a live read of raw datapoints, and of an empty stream, is as any other', async (fixture) => {
    const id = await fixture.ensure('a');
    assert.deepEqual(await fixture.read(id, Minutes, LIVE), []);
    await fixture.datastream.append(id, 5, at(3));
    assert.deepEqual(await fixture.read(id, Granularity.Seconds, LIVE), [{ t: at(3), v: 5 }]);
    await assertMisuse(() =>
      fixture.datastream.getData(id, Minutes, { start: 0, live: 1 as never }),
    );
  });
}
