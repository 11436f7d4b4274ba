import { describe, expect, test } from '@jest/globals';
import {
  decodeJournalEntry,
  JournalEntryWriter,
} from '../../../src/backends/embedded/journal-entry.ts';
import { BlockCorrupt } from '../../../src/exceptions/errors.ts';
import { rawBlock } from '../../../src/model/block.ts';

/** Every kind of op but `rows`, whose bytes are those of a block. Never to be changed. */
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

function writeEveryKind(): JournalEntryWriter {
  const writer = new JournalEntryWriter();
  writer.tick({
    timestampMs: 1_517_961_600_242,
    level: 0,
    ordinals: Uint32Array.of(7, 9, 99),
    values: Float64Array.of(1.5, Number.NaN, 99),
    count: 2,
  });
  writer.sealed([{ ordinal: 7, level: 0 }]);
  writer.touch([
    { ordinal: 7, level: 1 },
    { ordinal: 9, level: 2 },
  ]);
  writer.record([11]);
  writer.deleted([12, 13]);
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
  test('has the bytes of version 1', () => {
    expect(Buffer.from(writeEveryKind().finish()).toString('hex')).toBe(GOLDEN_V1);
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

  test('is refused when any one byte differs', () => {
    const bytes = Buffer.from(GOLDEN_V1, 'hex');
    for (let i = 0; i < bytes.length; i++) {
      // The reserved byte of the header may be anything.
      if (i === 3) continue;
      const damaged = Buffer.from(bytes);
      damaged[i] = damaged[i]! ^ 0x10;
      expect(corruptCode(damaged)).toBe('BLOCK_CORRUPT');
    }
  });

  test('is refused when cut short anywhere', () => {
    const bytes = Buffer.from(GOLDEN_V1, 'hex');
    for (let size = 0; size < bytes.length; size++) {
      expect(corruptCode(bytes.subarray(0, size))).toBe('BLOCK_CORRUPT');
    }
  });
});
