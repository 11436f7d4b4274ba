import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { MaintenanceProgress } from '../../api/types.ts';
import type { Backend } from '../../backends/backend.ts';
import { Granularity } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import { at, type Fixture, type Suite, secondsOf } from '../fixture.ts';

const { Seconds10 } = Granularity;

async function tenStreams(fixture: Fixture, seconds = 1300): Promise<StreamId[]> {
  const ids: StreamId[] = [];
  for (let index = 0; index < 10; index++) {
    const id = await fixture.ensure(`s${index}`);
    await fixture.appendNumbers(
      id,
      Array.from({ length: seconds }, (_, n) => n + index),
    );
    ids.push(id);
  }
  return ids;
}

/** The backend with some of its methods replaced. */
function overriding(backend: Backend, methods: Partial<Backend>): Backend {
  return new Proxy(backend, {
    get(target, key) {
      const own = methods[key as keyof Backend] ?? target[key as keyof Backend];
      return typeof own === 'function'
        ? own.bind(methods[key as keyof Backend] ? methods : target)
        : own;
    },
  });
}

/** How many buckets are shown of those that are complete, and one that is not. */
function tenCount(fixture: Fixture, completeCount: number): number {
  return fixture.byLevels({ stored: completeCount, computed: completeCount + 1 });
}

/** Asserts how many buckets of 10 s from `BASE_MS` on maintenance has computed, of all complete ones or none. */
async function assertTens(fixture: Fixture, id: StreamId, count: number): Promise<void> {
  assert.equal((await fixture.watermarks(id))[0], count === 0 ? null : count * 10);
  const { latestDatapoint } = await fixture.datastream.getStream(id);
  const shownCount = Math.floor(secondsOf(latestDatapoint!) / 10) + 1;
  assert.equal(
    (await fixture.read(id, Seconds10)).length,
    fixture.byLevels({ stored: count, computed: shownCount }),
  );
}

export function maintenanceTopic({ test }: Suite): void {
  test('§6 5 concurrent runs over 10 streams produce each bucket exactly once', async (fixture) => {
    const ids = await tenStreams(fixture);
    const engines = Array.from({ length: 4 }, () => fixture.open(fixture.backend));
    const runs = await Promise.all(
      [fixture.datastream, ...engines].map((engine) =>
        engine.downsampleStreams({ returnDatapoints: true }),
      ),
    );
    const keys = runs
      .flat()
      .map(
        ({ streamId, granularity, datapoint }) =>
          `${streamId} ${granularity} ${fixture.startOf(datapoint)}`,
      );
    assert.equal(new Set(keys).size, keys.length, 'no bucket is produced twice');
    // 1299 s: 129 buckets of 10 s, 21 minutes up to 12:21, two buckets of 10 minutes.
    assert.equal(keys.length, 10 * (129 + 21 + 2));
    for (const id of ids) {
      const counts = (await fixture.readLetter(id, Seconds10, 'c')) as number[];
      assert.deepEqual(counts, new Array(tenCount(fixture, 129)).fill(10));
    }
    assert.deepEqual(fixture.warnings, []);
    await fixture.assertVerified();
  });

  test('§6 a stream that somebody else maintains is left alone until the lease ends', async (fixture) => {
    const { backend, datastream } = fixture;
    const a = await fixture.ensure('a');
    const b = await fixture.ensure('b');
    for (const id of [a, b]) await fixture.appendNumbers(id, new Array(31).fill(1));
    const lease = { owner: 'somebody else', durationMs: 120_000 };
    assert.equal(await backend.acquireLease(a, lease), true);
    await datastream.downsampleStreams();
    await assertTens(fixture, a, 0);
    await assertTens(fixture, b, 3);
    fixture.nowMs += 120_001;
    await datastream.downsampleStreams();
    await assertTens(fixture, a, 3);
  });

  test('§6 maintenance gives its leases back', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, new Array(31).fill(1));
    await fixture.datastream.downsampleStreams();
    const lease = { owner: 'somebody else', durationMs: 120_000 };
    assert.equal(await fixture.backend.acquireLease(id, lease), true);
  });

  test('§6 a lease that runs out mid-work is a warning, and later runs finish', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(
      id,
      Array.from({ length: 50_000 }, (_, n) => n),
    );
    // Whatever the engine does with the store takes longer than its lease.
    const slow = overriding(fixture.backend, {
      commit: async (commit) => {
        fixture.nowMs += 121_000;
        return fixture.backend.commit(commit);
      },
      readPage: async (request) => {
        fixture.nowMs += 121_000;
        return fixture.backend.readPage(request);
      },
    });
    // Whoever asks for the buckets has them read, also where the server computes them.
    await fixture.open(slow).downsampleStreams({ returnDatapoints: true });
    const codes = fixture.warnings.map(
      ({ code, cause }) => (cause as { code?: string } | undefined)?.code ?? code,
    );
    assert.deepEqual(codes, ['LOCK_EXPIRED_MID_MAINTENANCE']);
    await fixture.settle();
    assert.equal((await fixture.watermarks(id))[3], 13 * 3600);
    const hourCount = fixture.byLevels({ stored: 13, computed: 14 });
    assert.equal((await fixture.read(id, Granularity.Hours)).length, hourCount);
    await fixture.assertVerified();
  });

  test('§6 a stream that fails is a warning, and the rest go on', async (fixture) => {
    const [bad, ...good] = (await tenStreams(fixture, 31)) as [StreamId, ...StreamId[]];
    const failing = overriding(fixture.backend, {
      readPage: async (request) => {
        if (request.streamId === bad) throw new Error('unreadable');
        return fixture.backend.readPage(request);
      },
    });
    await fixture.open(failing).downsampleStreams({ returnDatapoints: true });
    assert.equal(fixture.warnings.length, 1);
    assert.equal((fixture.warnings[0]!.cause as Error).message, 'unreadable');
    await assertTens(fixture, bad, 0);
    for (const id of good) await assertTens(fixture, id, 3);
    await fixture.datastream.downsampleStreams();
    await assertTens(fixture, bad, 3);
  });

  test('§6 appends during maintenance lose nothing', async (fixture) => {
    const id = await fixture.ensure('a');
    const rate = await fixture.derive('rate', 'derivative', id);
    let isRunning = true;
    const maintenance = (async () => {
      const other = fixture.open(fixture.backend);
      while (isRunning) {
        await other.downsampleStreams();
        // A store without I/O would else leave the appender no turn of the event loop.
        await setImmediate();
      }
    })();
    for (let second = 0; second < 400; second++) {
      await fixture.datastream.append(id, second, at(second));
      if (second % 50 === 25) {
        await fixture.datastream.append(id, -1, at(second - 20), { checkTimestamp: false });
      }
    }
    isRunning = false;
    await maintenance;
    await fixture.settle();
    const late = fixture.backend.supports.equalTimestamps ? 8 : 0;
    assert.equal((await fixture.read(id)).length, 400 + late);
    assert((await fixture.read(rate)).length >= 391);
    const counts = (await fixture.readLetter(id, Seconds10, 'c')) as number[];
    assert.equal(counts.length, tenCount(fixture, 39));
    assert.equal(
      counts.slice(0, 39).reduce((a, b) => a + b),
      390 + late,
    );
    await fixture.assertVerified();
  });

  test('§6 progress runs up to all the streams and rows', async (fixture) => {
    await tenStreams(fixture, 131);
    const seen: MaintenanceProgress[] = [];
    await fixture.datastream.downsampleStreams({ onProgress: (progress) => seen.push(progress) });
    const last = seen.at(-1)!;
    // Of levels that the server computes nothing is written.
    const rowCount = fixture.byLevels({ stored: 10 * (13 + 2), computed: 0 });
    assert.deepEqual(last, { streamCount: 10, streamCountTotal: 10, rowCount });
    for (const [index, progress] of seen.entries()) {
      const before = seen[index - 1];
      assert(before === undefined || progress.streamCount >= before.streamCount);
      assert(before === undefined || progress.rowCount >= before.rowCount);
    }
  });

  test('§6 an aborted run stops with nothing half-written', async (fixture) => {
    const ids = await tenStreams(fixture);
    const controller = new AbortController();
    const run = fixture.datastream.downsampleStreams({
      signal: controller.signal,
      concurrency: 1,
      onProgress: ({ streamCount }) => {
        if (streamCount === 3) controller.abort();
      },
    });
    await assert.rejects(run, { name: 'AbortError' });
    await fixture.assertVerified();
    const counts = [];
    for (const id of ids) counts.push((await fixture.watermarks(id))[0]);
    assert(counts.filter((until) => until !== null).length < 10, 'the run stopped early');
    await fixture.datastream.downsampleStreams();
    for (const id of ids) await assertTens(fixture, id, 129);
    await fixture.assertVerified();
  });

  test('§6 a run that was aborted before it began does nothing', async (fixture) => {
    const id = await fixture.ensure('a');
    await fixture.appendNumbers(id, new Array(31).fill(1));
    const signal = AbortSignal.abort();
    await assert.rejects(fixture.datastream.downsampleStreams({ signal }), { name: 'AbortError' });
    await assert.rejects(fixture.datastream.backprocessStreams({ signal }), { name: 'AbortError' });
    await assertTens(fixture, id, 0);
  });

  test('§6 any concurrency gives the same levels', async (fixture) => {
    const ids = await tenStreams(fixture, 200);
    await fixture.datastream.downsampleStreams({ concurrency: 7 });
    for (const id of ids) await assertTens(fixture, id, 19);
  });
}
