import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeChanges,
  encodeChanges,
  type PendingChange,
} from '../../../src/backends/influxdb/pending-change.ts';
import { boundsAfter } from '../../../src/backends/influxdb/row-bounds.ts';
import { decodeTail, encodeTail } from '../../../src/backends/influxdb/stream-tail.ts';
import type { Block } from '../../../src/model/block.ts';
import type { StreamId } from '../../../src/model/stream.ts';

const streamId = fc.uuid().map((id) => id as string as StreamId);
const timestamps = fc
  .uniqueArray(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), { minLength: 1, maxLength: 50 })
  .map((list) => Float64Array.from(list.sort((a, b) => a - b)));
const numbers = fc.double({ noDefaultInfinity: true });
const block: fc.Arbitrary<Block> = timestamps.chain((times) => {
  const sized = { minLength: times.length, maxLength: times.length };
  const floats = fc.array(numbers, sized).map((list) => Float64Array.from(list));
  const texts = fc.array(fc.option(fc.json()), sized);
  return fc.oneof(floats, texts).map((v) => ({ timestamps: times, columns: { v } }));
});
const change: fc.Arbitrary<PendingChange> = fc.oneof(
  fc.record({ kind: fc.constant('drop' as const), streamId }),
  fc.record({ kind: fc.constant('rows' as const), streamId, isFresh: fc.boolean(), block }),
  fc.record({
    kind: fc.constant('replace' as const),
    streamId,
    range: fc.constant({ startMs: -(2 ** 41), endMs: 2 ** 41 }),
    block,
  }),
  fc.array(fc.tuple(streamId, numbers), { minLength: 1, maxLength: 20 }).map(
    (rows): PendingChange => ({
      kind: 'tick',
      timestampMs: -5000,
      streamIds: rows.map(([id]) => id),
      values: Float64Array.from(rows, ([, value]) => value),
    }),
  ),
);

describe('changes on their way to InfluxDB', () => {
  test('come back from bytes as they were', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        expect(decodeChanges(encodeChanges(changes), 'here')).toEqual(changes);
      }),
    );
  });

  test('of more rows than a block holds are cut, without a gap', () => {
    const rowCount = 300_000;
    const big: Block = {
      timestamps: Float64Array.from({ length: rowCount }, (_, n) => n * 1000),
      columns: { v: Float64Array.from({ length: rowCount }, (_, n) => n) },
    };
    const range = { startMs: -5, endMs: 2 ** 40 };
    const id = randomUUID() as string as StreamId;
    const pieces = decodeChanges(
      encodeChanges([{ kind: 'replace', streamId: id, range, block: big }]),
      'here',
    );
    expect(pieces.length).toBeGreaterThan(1);
    let nextMs = range.startMs;
    let total = 0;
    for (const piece of pieces) {
      if (piece.kind !== 'replace') throw new Error('expected a replacement');
      expect(piece.range.startMs).toBe(nextMs);
      nextMs = piece.range.endMs;
      total += piece.block.timestamps.length;
      expect(piece.block.timestamps.at(-1)!).toBeLessThan(nextMs);
    }
    expect([nextMs, total]).toEqual([range.endMs, rowCount]);
  });

  test('that are cut short or damaged are BLOCK_CORRUPT', () => {
    const id = randomUUID() as string as StreamId;
    const bytes = encodeChanges([
      {
        kind: 'rows',
        streamId: id,
        isFresh: true,
        block: { timestamps: Float64Array.of(1), columns: { v: Float64Array.of(2) } },
      },
    ]);
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeChanges(bytes.subarray(0, length), 'here')).toThrow(
        expect.objectContaining({ code: 'BLOCK_CORRUPT' }),
      );
    }
    const bent = Buffer.from(bytes);
    bent[5]! ^= 0xff;
    expect(() => decodeChanges(bent, 'here')).toThrow(
      expect.objectContaining({ code: 'BLOCK_CORRUPT' }),
    );
  });
});

test('the tail of a head says type and number of rewrites', () => {
  for (const valueType of ['numeric', 'nominal', 'graph'] as const) {
    for (const rewriteCount of [0, 1, 2 ** 40]) {
      const tail = { valueType, rewriteCount };
      expect(decodeTail(encodeTail(tail))).toEqual(tail);
    }
  }
  expect(decodeTail(new Uint8Array(0))).toBeNull();
});

test('bounds after replacements of one commit are those of a plain list', async () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 25 }))
    .map(([startMs, size]) => ({ startMs, endMs: startMs + size }));
  const steps = fc.array(
    fc.tuple(span, fc.uniqueArray(fc.integer({ min: 0, max: 24 }), { maxLength: 3 })),
    { minLength: 1, maxLength: 5 },
  );
  const stored = fc.uniqueArray(fc.integer({ min: 0, max: 64 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(stored, steps, async (initial, replacements) => {
      const id = randomUUID() as string as StreamId;
      let rows = initial.toSorted((a, b) => a - b);
      let bounds = { earliestMs: rows[0] ?? null, latestMs: rows.at(-1) ?? null };
      const earlier: PendingChange[] = [];
      for (const [range, offsets] of replacements) {
        if (bounds.earliestMs === null) return;
        const added = offsets
          .map((offset) => range.startMs + offset)
          .filter((ms) => ms < range.endMs)
          .sort((a, b) => a - b);
        const times = Float64Array.from(added);
        const block = { timestamps: times, columns: { v: times.slice() } };
        bounds = await boundsAfter(bounds, {
          streamId: id,
          range,
          block,
          earlier,
          // The server knows what was there before the commit.
          neighbour: async (_id, side) =>
            ('fromMs' in side
              ? initial.toSorted((a, b) => a - b).find((ms) => ms >= side.fromMs)
              : initial.toSorted((a, b) => b - a).find((ms) => ms < side.beforeMs)) ?? null,
        });
        earlier.push({ kind: 'replace', streamId: id, range, block });
        const kept = rows.filter((ms) => ms < range.startMs || ms >= range.endMs);
        rows = [...kept, ...added].sort((a, b) => a - b);
        expect(bounds).toEqual({ earliestMs: rows[0] ?? null, latestMs: rows.at(-1) ?? null });
      }
    }),
  );
});
