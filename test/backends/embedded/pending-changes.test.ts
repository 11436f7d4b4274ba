import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeBlock } from '../../../src/backends/codec/block-codec.ts';
import { encodeDrafts } from '../../../src/backends/embedded/encoded-rows.ts';
import {
  firstMsOf,
  insertedPieces,
  type RowPiece,
  replacedPieces,
} from '../../../src/backends/embedded/pending-changes.ts';
import { type Block, rawBlock } from '../../../src/model/block.ts';

type Row = readonly [timestampMs: number, value: number];

const timestamp = fc.integer({ min: 0, max: 20 });
/** Pieces that ascend together, and which of them are encoded. */
const pieces = fc
  .array(fc.tuple(fc.array(timestamp, { minLength: 1, maxLength: 6 }), fc.boolean()), {
    minLength: 1,
    maxLength: 6,
  })
  .map((list) => {
    const sorted = list.flatMap(([timestamps]) => timestamps).sort((a, b) => a - b);
    let taken = 0;
    return list.map(([{ length }, isEncoded]) => {
      const rows = sorted.slice(taken, taken + length).map((t, i): Row => [t, taken + i]);
      taken += length;
      return { rows, isEncoded };
    });
  });
const changes = fc
  .uniqueArray(fc.integer({ min: -2, max: 24 }), { minLength: 2, maxLength: 10 })
  .map((instants) => instants.sort((a, b) => a - b))
  .chain((ends) =>
    fc.tuple(
      ...Array.from({ length: ends.length >> 1 }, (_, i) => {
        const [startMs, endMs] = [ends[2 * i]!, ends[2 * i + 1]!];
        return fc
          .array(fc.integer({ min: startMs, max: endMs - 1 }), { maxLength: 4 })
          .map((instants) => ({
            range: { startMs, endMs },
            rows: instants.sort((a, b) => a - b).map((t, k): Row => [t, 1000 + 10 * i + k]),
          }));
      }),
    ),
  );

function blockOf(rows: readonly Row[]): Block {
  return rawBlock(
    Float64Array.from(rows, ([t]) => t),
    Float64Array.from(rows, ([, value]) => value),
  );
}

function pieceOf({ rows, isEncoded }: { rows: readonly Row[]; isEncoded: boolean }): RowPiece {
  return isEncoded ? encodeDrafts(blockOf(rows), rows.length)[0]! : blockOf(rows);
}

function decode(piece: RowPiece): Block {
  return 'bytes' in piece ? decodeBlock(piece.bytes, 'a piece') : piece;
}

function rowsOf(list: readonly RowPiece[]): readonly Row[] {
  return list.flatMap((piece) => {
    const { timestamps, columns } = decode(piece);
    expect(timestamps.length).toBeGreaterThan(0);
    return Array.from(timestamps, (t, row): Row => [t, columns['v']![row] as number]);
  });
}

describe('rows behind the blocks', () => {
  test('take late rows behind those of the same or an earlier timestamp', () => {
    fc.assert(
      fc.property(pieces, fc.array(timestamp), (list, timestamps) => {
        const startMs = firstMsOf(pieceOf(list[0]!));
        const late = timestamps
          .filter((t) => t >= startMs)
          .sort((a, b) => a - b)
          .map((t, i): Row => [t, 1000 + i]);
        const inserted = insertedPieces(list.map(pieceOf), blockOf(late), decode);
        const expected = [...list.flatMap(({ rows }) => rows), ...late];
        expect(rowsOf([...inserted])).toEqual(expected.sort(([a], [b]) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  test('are replaced inside of ranges, and stay outside', () => {
    fc.assert(
      fc.property(pieces, changes, (list, given) => {
        const startMs = firstMsOf(pieceOf(list[0]!));
        const asked = given.map(({ range, rows }) => ({
          range,
          rows: rows.filter(([t]) => t >= startMs),
        }));
        const replaced = replacedPieces(
          list.map(pieceOf),
          asked.map(({ range, rows }) => ({ range, rows: blockOf(rows) })),
          decode,
        );
        const kept = list
          .flatMap(({ rows }) => rows)
          .filter(([t]) => asked.every(({ range }) => t < range.startMs || t >= range.endMs));
        const expected = [...kept, ...asked.flatMap(({ rows }) => rows)];
        expect(rowsOf([...replaced])).toEqual(expected.sort(([a], [b]) => a - b));
      }),
      { numRuns: 1000 },
    );
  });

  test('are not decoded where nothing changes, or nothing stays', () => {
    const list = [0, 10, 20].map((t) => encodeDrafts(blockOf([[t, t]]), 1)[0]!);
    const refuse = (): Block => {
      throw new Error('a piece is decoded');
    };
    const change = { range: { startMs: 5, endMs: 15 }, rows: blockOf([[12, 1]]) };
    expect([...replacedPieces(list, [change], refuse)]).toEqual([list[0], change.rows, list[2]]);
    expect([...insertedPieces(list, blockOf([]), refuse)]).toEqual(list);
  });
});
