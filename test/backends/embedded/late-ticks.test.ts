import { expect, test } from '@jest/globals';
import { NO_ROW, type TickWrite } from '../../../src/backends/backend.ts';
import type { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { createStream, opened, randomSource, readAll, rowsOf, withFolder } from './fixtures.ts';

const TICK_COUNT = 40;
const LENGTHS_MS = [1, 3, 10];

/** Gives every range the rows that reading all of the level gives for it. */
async function assertRanges(
  backend: EmbeddedBackend,
  streamId: StreamId,
  granularity: Granularity,
): Promise<void> {
  const unitMs = granularity === Granularity.Seconds ? 1 : 60_000;
  const rows = rowsOf(await readAll(backend, streamId, { granularity }), columnOf(granularity));
  for (let start = 0; start <= TICK_COUNT * 4; start++) {
    for (const length of LENGTHS_MS) {
      const range = { startMs: start * unitMs, endMs: (start + length) * unitMs };
      const block = await readAll(backend, streamId, { granularity, range });
      const wanted = rows.filter(([ms]) => ms >= range.startMs && ms < range.endMs);
      const found = block.timestamps.length === 0 ? [] : rowsOf(block, columnOf(granularity));
      expect(found).toEqual(wanted);
    }
  }
}

function columnOf(granularity: Granularity): string {
  return granularity === Granularity.Seconds ? 'v' : 'c';
}

/** Instants and values in order for each of two streams, but not for both together. */
function gappyTicks(): { at: number; values: number[] }[] {
  const random = randomSource();
  const last = [0, 0];
  const ticks = [];
  for (let i = 1; i <= TICK_COUNT; i++) {
    const at = Math.min(...last) + random(8);
    const values = last.map((ms) => (at > ms && random(3) > 0 ? i : NO_ROW));
    if (values.every((value) => value === NO_ROW)) continue;
    for (const [stream, value] of values.entries()) if (value !== NO_ROW) last[stream] = at;
    ticks.push({ at, values });
  }
  return ticks;
}

test('a tick older than the one before it, with rows only where it is in order, is found in every range', () =>
  withFolder(async (path) => {
    const backend = await opened(path);
    const streamIds = [await createStream(backend), await createStream(backend)];
    for (const { at, values } of gappyTicks()) {
      const write: TickWrite = {
        kind: 'tick',
        timestampMs: at,
        streamIds,
        values: Float64Array.from(values),
      };
      await backend.commit({ expect: [], writes: [write] });
    }
    for (const streamId of streamIds) await assertRanges(backend, streamId, Granularity.Seconds);
    await backend.close();
  }));

test('so is such a bucket', () =>
  withFolder(async (path) => {
    const backend = await opened(path);
    const streamIds = [await createStream(backend), await createStream(backend)];
    for (const { at, values } of gappyTicks()) {
      const counts = Float64Array.from(values, (value) => (value === NO_ROW ? 0 : value));
      await backend.commit({
        expect: [],
        writes: [
          {
            kind: 'bucket',
            granularity: Granularity.Minutes,
            streamIds,
            startMs: at * 60_000,
            untilMs: (at + 1) * 60_000,
            columns: { c: counts, s: counts },
          },
        ],
      });
    }
    for (const streamId of streamIds) await assertRanges(backend, streamId, Granularity.Minutes);
    await backend.close();
  }));
