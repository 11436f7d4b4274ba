import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NO_ROW } from '../../../src/backends/backend.ts';
import { encodeBlock } from '../../../src/backends/codec/block-codec.ts';
import { decodeJournalEntry } from '../../../src/backends/embedded/journal-entry.ts';
import {
  checkEntry,
  JournalEntryWriter,
} from '../../../src/backends/embedded/journal-entry-writer.ts';
import { BlockCorrupt } from '../../../src/exceptions/errors.ts';
import { rawBlock } from '../../../src/model/block.ts';

/** Every kind of op of version 1 but `rows`, whose bytes are those of a block. Never to be changed. */
const GOLDEN_V1 =
  '444a0100b4392a5f' +
  '0100000028000000' +
  '0020cffdd8167642' +
  '0200000000000000' +
  '000000000000f83f000000000000f87f' +
  '0700000009000000' +
  '0300000008000000' +
  '0700000000000000' +
  '0500000010000000' +
  '07000000010000000900000002000000' +
  '0400000004000000' +
  '0b00000000000000' +
  '0600000008000000' +
  '0c0000000d000000';

/** Every kind of op but `rows` and `blocks`. Never to be changed. */
const GOLDEN_V2 =
  '444a020071437b0d01000000280000000020cffdd81676420200000000000000' +
  '000000000000f83f000000000000f87f07000000090000000700000030000000' +
  '000000000000f0bf030000000300000004000000000000000000000000000080' +
  '000000000000f07f00000000000000400a0000004800000000000000004ced40' +
  '00000000004cfd40020000000200010004000000020010000001630104c48d61' +
  '7300000000000000000000000000184000000000000000000000000000000080' +
  '0a0000003c000000000000000000000000000000804f22410300000003000000' +
  '00000000010008000101630000000000000000000000f03f0900000005000000' +
  '0700000000000000090000001000000007000000040000000000000040774bc1' +
  '0300000008000000070000000000000005000000100000000700000001000000' +
  '090000000200000004000000040000000b000000000000000600000008000000' +
  '0c0000000d000000';

/** Every kind of op but `rows` and `blocks`, with a checksum. Never to be changed. */
const GOLDEN_V3 =
  '444a0300eeae0b6e01000000280000000020cffdd81676420200000000000000' +
  '000000000000f83f000000000000f87f07000000090000000700000030000000' +
  '000000000000f0bf030000000300000004000000000000000000000000000080' +
  '000000000000f07f00000000000000400a0000004800000000000000004ced40' +
  '00000000004cfd40020000000200010004000000020010000001630104c48d61' +
  '7300000000000000000000000000184000000000000000000000000000000080' +
  '0a0000003c000000000000000000000000000000804f22410300000003000000' +
  '00000000010008000101630000000000000000000000f03f0900000005000000' +
  '0700000000000000090000001000000007000000040000000000000040774bc1' +
  '0300000008000000070000000000000005000000100000000700000001000000' +
  '090000000200000004000000040000000b000000000000000600000008000000' +
  '0c0000000d0000000b0000005000000007000000010000000300000002000800' +
  '010000000000000001016300036d696e00000000000024c00000000000002440' +
  '000000000000184000000000000000800000000000000000000000000000f87f' +
  '0b00000050000000090000000000000003000000010008000000000000000000' +
  '0001760000000000000000000000f03f000000000000f03f0000000000001440' +
  '000000000000e03f00000000000000400000000000000840';

function writeEveryKind(): JournalEntryWriter {
  const writer = new JournalEntryWriter();
  writer.tick({
    timestampMs: 1_517_961_600_242,
    level: 0,
    ordinals: Uint32Array.of(7, 9),
    values: Float64Array.of(1.5, Number.NaN),
  });
  writer.tick({
    timestampMs: -1,
    level: 3,
    ordinals: Uint32Array.of(4, 5, 6),
    values: Float64Array.of(-0, NO_ROW, 2),
  });
  writer.bucket({
    startMs: 60_000,
    untilMs: 120_000,
    level: 2,
    ordinals: Uint32Array.of(4, 5),
    columns: new Map<string, Float64Array | number>([
      ['c', Float64Array.of(6, 0)],
      ['čas', -0],
    ]),
  });
  writer.bucket({
    startMs: 0,
    untilMs: 600_000,
    level: 3,
    ordinals: Uint32Array.of(9, 5, 7),
    columns: new Map<string, Float64Array | number>([['c', 1]]),
  });
  writer.advance({ ordinal: 7, level: 4 }, -3_600_000);
  writer.sealed([{ ordinal: 7, level: 0 }]);
  writer.touch([
    { ordinal: 7, level: 1 },
    { ordinal: 9, level: 2 },
  ]);
  writer.record([11]);
  writer.deleted([12, 13]);
  writer.rows(
    { ordinal: 7, level: 1 },
    {
      timestamps: Float64Array.of(-10, 0, 10),
      columns: { c: Float64Array.of(6, 6, 6), min: Float64Array.of(-0, 0, Number.NaN) },
    },
  );
  writer.rows(
    { ordinal: 9, level: 0 },
    rawBlock(Float64Array.of(1, 1, 5), Float64Array.of(0.5, 2, 3)),
  );
  return writer;
}

function corruptCode(bytes: Uint8Array): string | undefined {
  try {
    decodeJournalEntry(bytes, 'journal entry 42');
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(BlockCorrupt);
    expect((error as Error).message).toContain('journal entry 42');
    return (error as BlockCorrupt).code;
  }
}

describe('a journal entry', () => {
  test('has the bytes of version 3, with the checksum that a frame makes needless', () => {
    const entry = writeEveryKind().finish();
    expect(Buffer.from(entry).subarray(0, 8).toString('hex')).toBe('444a030100000000');
    const ops = decodeJournalEntry(entry, 'unchecked');
    checkEntry(entry);
    expect(Buffer.from(entry).toString('hex')).toBe(GOLDEN_V3);
    expect(decodeJournalEntry(entry, 'checked')).toEqual(ops);
  });

  test('is read from the bytes of version 3', () => {
    const ops = decodeJournalEntry(Buffer.from(GOLDEN_V3, 'hex'), 'golden');
    expect(ops.slice(0, -2)).toEqual(decodeJournalEntry(Buffer.from(GOLDEN_V2, 'hex'), 'v2'));
    expect(ops.slice(-2)).toEqual([
      {
        kind: 'rows',
        place: { ordinal: 7, level: 1 },
        block: {
          timestamps: Float64Array.of(-10, 0, 10),
          columns: { c: Float64Array.of(6, 6, 6), min: Float64Array.of(-0, 0, Number.NaN) },
        },
      },
      {
        kind: 'rows',
        place: { ordinal: 9, level: 0 },
        block: rawBlock(Float64Array.of(1, 1, 5), Float64Array.of(0.5, 2, 3)),
      },
    ]);
  });

  test('is read from the bytes of version 2', () => {
    const ops = decodeJournalEntry(Buffer.from(GOLDEN_V2, 'hex'), 'golden');
    expect(ops.slice(0, 5)).toEqual([
      {
        kind: 'tick',
        timestampMs: 1_517_961_600_242,
        level: 0,
        ordinals: Uint32Array.of(7, 9),
        values: Float64Array.of(1.5, Number.NaN),
      },
      {
        kind: 'tick',
        timestampMs: -1,
        level: 3,
        ordinals: Uint32Array.of(4, 5, 6),
        values: Float64Array.of(-0, NO_ROW, 2),
      },
      {
        kind: 'bucket',
        startMs: 60_000,
        untilMs: 120_000,
        level: 2,
        ordinals: Uint32Array.of(4, 5),
        columns: new Map<string, Float64Array | number>([
          ['c', Float64Array.of(6, 0)],
          ['čas', -0],
        ]),
      },
      {
        kind: 'bucket',
        startMs: 0,
        untilMs: 600_000,
        level: 3,
        ordinals: Uint32Array.of(9, 5, 7),
        columns: new Map([['c', 1]]),
      },
      { kind: 'advance', place: { ordinal: 7, level: 4 }, untilMs: -3_600_000 },
    ]);
    expect(ops.slice(5)).toEqual(decodeJournalEntry(Buffer.from(GOLDEN_V1, 'hex'), 'v1').slice(1));
  });

  test('is read from the bytes of version 1', () => {
    const ops = decodeJournalEntry(Buffer.from(GOLDEN_V1, 'hex'), 'golden');
    expect(ops).toEqual([
      {
        kind: 'tick',
        timestampMs: 1_517_961_600_242,
        level: 0,
        ordinals: Uint32Array.of(7, 9),
        values: Float64Array.of(1.5, Number.NaN),
      },
      { kind: 'sealed', places: [{ ordinal: 7, level: 0 }] },
      {
        kind: 'touch',
        places: [
          { ordinal: 7, level: 1 },
          { ordinal: 9, level: 2 },
        ],
      },
      { kind: 'record', ordinals: [11] },
      { kind: 'deleted', ordinals: [12, 13] },
    ]);
  });

  test('brings back rows with all of their columns', () => {
    const block = {
      ...rawBlock(Float64Array.of(1, 1, 5), Float64Array.of(1, Number.NaN, 3)),
      columns: { m: Float64Array.of(1, Number.NaN, 3), f: [{ a: 1 }, null, 'x'] },
    };
    const writer = new JournalEntryWriter();
    writer.rows({ ordinal: 3, level: 4 }, block);
    const [op] = decodeJournalEntry(writer.finish(), 'rows');
    expect(op).toEqual({ kind: 'rows', place: { ordinal: 3, level: 4 }, block });
  });

  test.each([
    ['descend', Float64Array.of(2, 1)],
    ['are not whole', Float64Array.of(0.5, 1.5)],
    ['are beyond all dates', Float64Array.of(1, 9e15)],
    ['are no numbers', Float64Array.of(1, Number.NaN)],
  ])('takes no rows whose timestamps %s', (_reason, timestamps) => {
    const writer = new JournalEntryWriter();
    const rows = () => writer.rows({ ordinal: 3, level: 4 }, rawBlock(timestamps, timestamps));
    expect(rows).toThrow('timestamps');
  });

  test('brings back blocks byte by byte, in memory of their own', () => {
    const blocks = [1, 5].map((count) => {
      const timestamps = Float64Array.from({ length: count }, (_, i) => count * 1000 + i);
      const bytes = encodeBlock(rawBlock(timestamps, new Float64Array(count).fill(count)));
      const [firstMs, lastMs] = [timestamps[0]!, timestamps.at(-1)!];
      return { bytes, rowCount: count, firstMs, lastMs, isDraft: false };
    });
    const writer = new JournalEntryWriter();
    writer.blocks({ ordinal: 3, level: 4 }, blocks);
    const entry = writer.finish();
    const [op] = decodeJournalEntry(entry, 'blocks');
    entry.fill(0);
    expect(op).toEqual({ kind: 'blocks', place: { ordinal: 3, level: 4 }, blocks });
  });

  test('brings back any tick and bucket', () => {
    const cell = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(Number.NaN, -0, NO_ROW));
    const list = fc.uniqueArray(fc.nat(50), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(list, fc.infiniteStream(cell), fc.boolean(), (items, cells, isConstant) => {
        const ordinals = Uint32Array.from(items);
        const next = () => Float64Array.from(items, () => cells.next().value as number);
        const tick = { timestampMs: 5, level: 1, ordinals, values: next() };
        const columns = new Map<string, Float64Array | number>([
          ['x', isConstant ? (cells.next().value as number) : next()],
          ['c', next()],
        ]);
        const bucket = { startMs: -7, untilMs: 8, level: 2, ordinals, columns };
        const writer = new JournalEntryWriter();
        writer.tick(tick);
        writer.bucket(bucket);
        expect(decodeJournalEntry(writer.finish(), 'any')).toEqual([
          { kind: 'tick', ...tick },
          { kind: 'bucket', ...bucket },
        ]);
      }),
    );
  });

  test.each([
    ['1', GOLDEN_V2, 1],
    ['2', GOLDEN_V3, 2],
  ])('of version %s has none of the later kinds', (_version, golden, version) => {
    const bytes = Buffer.from(golden, 'hex');
    bytes[2] = version;
    expect(corruptCode(bytes)).toBe('BLOCK_CORRUPT');
  });

  test('does not take over anything of the entry before', () => {
    const writer = writeEveryKind();
    writer.finish();
    writer.reset();
    expect(writer.isEmpty).toBe(true);
    writer.record([1]);
    expect(decodeJournalEntry(writer.finish(), 'second')).toEqual([
      { kind: 'record', ordinals: [1] },
    ]);
  });

  test.each([
    ['1', GOLDEN_V1],
    ['2', GOLDEN_V2],
    ['3', GOLDEN_V3],
  ])('of version %s is refused when any one byte differs', (_version, golden) => {
    const bytes = Buffer.from(golden, 'hex');
    for (let i = 0; i < bytes.length; i++) {
      // The reserved byte of the header may be anything.
      if (i === 3) continue;
      const damaged = Buffer.from(bytes);
      damaged[i] = damaged[i]! ^ 0x10;
      expect(corruptCode(damaged)).toBe('BLOCK_CORRUPT');
    }
  });

  test.each([
    ['1', GOLDEN_V1],
    ['2', GOLDEN_V2],
    ['3', GOLDEN_V3],
  ])('of version %s is refused when cut short anywhere', (_version, golden) => {
    const bytes = Buffer.from(golden, 'hex');
    for (let size = 0; size < bytes.length; size++) {
      expect(corruptCode(bytes.subarray(0, size))).toBe('BLOCK_CORRUPT');
    }
  });
});
