import assert from 'node:assert/strict';
import type { Difference } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { ALL_TIME } from '../../model/time-range.ts';
import { assertCode, at, BASE_MS, type Fixture, type Suite } from '../fixture.ts';

async function filled(fixture: Fixture): Promise<{ source: StreamId; rate: StreamId }> {
  const source = await fixture.ensure('source');
  const rate = await fixture.derive('rate', 'derivative', source);
  await fixture.appendNumbers(
    source,
    Array.from({ length: 131 }, (_, n) => n * n),
  );
  await fixture.settle();
  return { source, rate };
}

/** Changes a stored number behind the engine's back. */
async function tamper(
  { backend }: Fixture,
  streamId: StreamId,
  target: { granularity: Granularity; row: number; column: string },
): Promise<void> {
  const { granularity, row, column } = target;
  const { block } = await backend.readPage({
    streamId,
    granularity,
    range: ALL_TIME,
    rowCountMax: 100_000,
  });
  const startMs = block.timestamps[row]!;
  const columns = Object.fromEntries(
    Object.entries(block.columns).map(([name, cells]) => {
      const [cell] = cells.slice(row, row + 1);
      const changed = name === column ? Number(cell) + 1 : cell;
      return [name, cells instanceof Float64Array ? Float64Array.of(Number(changed)) : [changed]];
    }),
  );
  await backend.commit({
    expect: [],
    writes: [
      {
        kind: 'replace',
        streamId,
        granularity,
        range: { startMs, endMs: startMs + 1000 },
        block: { timestamps: Float64Array.of(startMs), columns },
      },
    ],
  });
}

/** Asserts, where the server computes levels, that nobody can change one; says whether that is so. */
async function isOutOfReach(
  fixture: Fixture,
  streamId: StreamId,
  target: { granularity: Granularity; row: number; column: string },
): Promise<boolean> {
  if (fixture.backend.supports.levels === 'stored') return false;
  await assertCode(() => tamper(fixture, streamId, target), 'NOT_SUPPORTED');
  await fixture.assertVerified();
  return true;
}

export function verifyTopic({ test }: Suite): void {
  test('verify counts what it recomputed, with 0 differences', async (fixture) => {
    await filled(fixture);
    const report = await fixture.datastream.verify({});
    assert.deepEqual(report, {
      streamCount: 2,
      // Of the source 13 and 2 buckets up to second 130, of its derivative as many.
      // What the server computes whenever it is read cannot be wrong.
      bucketCount: fixture.byLevels({ stored: 13 + 2 + 13 + 2, computed: 0 }),
      derivedCount: 130,
      differenceCount: 0,
      staleRangeCount: 0,
      repairedCount: 0,
    });
  });

  test('verify finds a changed bucket', async (fixture) => {
    const { source } = await filled(fixture);
    const target = { granularity: Granularity.Seconds10, row: 3, column: 'c' };
    if (await isOutOfReach(fixture, source, target)) return;
    await tamper(fixture, source, target);
    const found: Difference[] = [];
    const { differenceCount } = await fixture.datastream.verify({
      onDifference: (difference) => found.push(difference),
    });
    assert(differenceCount >= 1);
    assert.equal(found.length, differenceCount);
    const [first] = found.filter(({ granularity }) => granularity === Granularity.Seconds10);
    assert.equal(first!.streamId, source);
    assert.deepEqual(first!.timestamp, at(30));
    assert.notDeepEqual(first!.stored, first!.expected);
  });

  test('verify finds a changed derived datapoint', async (fixture) => {
    const { rate } = await filled(fixture);
    await tamper(fixture, rate, { granularity: Granularity.Seconds, row: 50, column: 'v' });
    const found: Difference[] = [];
    await fixture.datastream.verify({ onDifference: (difference) => found.push(difference) });
    const raw = found.filter(({ granularity }) => granularity === Granularity.Seconds);
    assert.deepEqual(
      raw.map(({ streamId, timestamp }) => [streamId, timestamp]),
      [[rate, at(51)]],
    );
  });

  test('verify finds a missing bucket and a missing derived datapoint', async (fixture) => {
    const { source, rate } = await filled(fixture);
    const empty = { timestamps: new Float64Array(0), columns: {} };
    const areStored = fixture.backend.supports.levels === 'stored';
    const removed = [
      ...(areStored ? [[source, Granularity.Minutes] as const] : []),
      [rate, Granularity.Seconds] as const,
    ];
    for (const [streamId, granularity] of removed) {
      await fixture.backend.commit({
        expect: [],
        writes: [
          {
            kind: 'replace',
            streamId,
            granularity,
            range: { startMs: BASE_MS + 60_000, endMs: BASE_MS + 61_000 },
            block: empty,
          },
        ],
      });
    }
    const found: Difference[] = [];
    await fixture.datastream.verify({ onDifference: (difference) => found.push(difference) });
    const missing = found.filter(({ stored }) => stored === null);
    assert.deepEqual(
      missing.map(({ streamId }) => streamId).sort(),
      removed.map(([streamId]) => streamId).sort(),
    );
  });

  test('verify leaves out what is stale, and says so', async (fixture) => {
    const { source } = await filled(fixture);
    await fixture.datastream.append(source, 7, at(33), { checkTimestamp: false });
    const before = await fixture.datastream.verify({});
    assert.equal(before.differenceCount, 0);
    assert(before.staleRangeCount > 0);
    await fixture.settle();
    const after = await fixture.datastream.verify({});
    assert.deepEqual([after.differenceCount, after.staleRangeCount], [0, 0]);
  });

  test('verify keeps to the streams that match', async (fixture) => {
    const { rate } = await filled(fixture);
    // A changed datapoint of the derived stream, or a bucket of it.
    const target = fixture.byLevels({
      stored: { granularity: Granularity.Seconds10, row: 3, column: 'c' },
      computed: { granularity: Granularity.Seconds, row: 50, column: 'v' },
    });
    await tamper(fixture, rate, target);
    const source = await fixture.datastream.verify({ queryTags: { name: 'source' } });
    assert.deepEqual([source.streamCount, source.differenceCount], [1, 0]);
    const derived = await fixture.datastream.verify({ queryTags: { stream_id: rate } });
    assert(derived.differenceCount > 0);
  });

  test('repair computes anew what differs, and leaves the rest', async (fixture) => {
    const { datastream } = fixture;
    const { source, rate } = await filled(fixture);
    const isComputed = fixture.backend.supports.levels === 'computed';
    if (!isComputed) {
      await tamper(fixture, source, { granularity: Granularity.Seconds10, row: 3, column: 'c' });
      await tamper(fixture, rate, { granularity: Granularity.Minutes, row: 1, column: 'u' });
    }
    await tamper(fixture, rate, { granularity: Granularity.Seconds, row: 50, column: 'v' });
    const before = await datastream.verify();
    assert(before.differenceCount > 0);
    assert.equal(before.repairedCount, 0);
    const told: Difference[] = [];
    const report = await datastream.verify({
      repair: true,
      onDifference: (difference) => told.push(difference),
    });
    assert.equal(told.length, before.differenceCount);
    assert.equal(report.differenceCount, 0);
    assert.equal(report.repairedCount, before.differenceCount);
    await fixture.assertVerified();
    assert.deepEqual((await fixture.readRaw(rate)).slice(49, 52), [
      [50, 99],
      [51, 101],
      [52, 103],
    ]);
  });

  test('status says what maintenance has to compute, and nothing when it is done', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    const rate = await fixture.derive('rate', 'derivative', source);
    await fixture.appendNumbers(source, new Array(131).fill(1));
    const statuses = async () => {
      const all = [];
      for await (const status of datastream.status()) all.push(status);
      return all;
    };
    const [before] = await statuses();
    assert.equal(before!.streamId, source);
    assert.deepEqual(before!.tags, { name: 'source' });
    assert.deepEqual(before!.oldest, at(0));
    // Thirteen of ten seconds, and two minutes.
    assert.deepEqual(
      before!.levels.map(({ granularity, bucketCount }) => [granularity.name, bucketCount]),
      [
        ['10seconds', 13],
        ['minutes', 2],
      ],
    );
    assert.equal(before!.bucketCount, 15);
    await fixture.settle();
    for (const { oldest, bucketCount, levels, derived } of await statuses()) {
      assert.deepEqual([oldest, bucketCount, levels, derived], [null, 0, [], []]);
    }
    await datastream.upsert(source, 5, at(75));
    const [changed, derived] = await statuses();
    assert.deepEqual(changed!.levels[0]!.ranges, [{ start: at(70), end: at(80) }]);
    assert.deepEqual(changed!.oldest, at(60));
    assert.equal(derived!.streamId, rate);
    assert.deepEqual(derived!.derived[0]!.start, at(75));
    await fixture.settle();
    assert.deepEqual(
      (await statuses()).map(({ bucketCount }) => bucketCount),
      [0, 0],
    );
  });

  test('status knows history that was never processed', async (fixture) => {
    const { datastream } = fixture;
    const source = await fixture.ensure('source');
    await fixture.appendNumbers(source, [1, 2, 3]);
    await fixture.derive('rate', 'derivative', source, { deriveBackprocess: true });
    const pending = [];
    for await (const status of datastream.status({ queryTags: { name: 'rate' } })) {
      pending.push([status.pendingBackprocess, status.oldest]);
    }
    assert.deepEqual(pending, [[true, null]]);
  });
}
