import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeBlock,
  decodeBlocks,
  encodeBlock,
  readBlockHeader,
} from '../../../src/backends/codec/block-codec.ts';
import type { Block } from '../../../src/model/block.ts';
import { blocks } from './block-arbitraries.ts';

const ROW_COUNT = 70;

/** Has a column of nearly every encoding, and text that is long enough to be deflated. */
const BLOCK: Block = {
  timestamps: Float64Array.from({ length: ROW_COUNT }, (_, row) => 1.7e12 + row * 1000 + (row % 3)),
  columns: {
    v: Float64Array.from({ length: ROW_COUNT }, (_, row) => ((row * row) % 97) / 100),
    counter: Float64Array.from({ length: ROW_COUNT }, (_, row) => 2 ** 45 + row * 2 ** 40),
    raw: Float64Array.from({ length: ROW_COUNT }, (_, row) => Math.sqrt(row)),
    gaps: Float64Array.from({ length: ROW_COUNT }, (_, row) => (row % 5 === 0 ? Number.NaN : row)),
    none: new Float64Array(ROW_COUNT).fill(Number.NaN),
    same: new Float64Array(ROW_COUNT).fill(1 / 3),
    half: new Float64Array(ROW_COUNT).fill(0.5),
    spikes: Float64Array.from({ length: ROW_COUNT }, (_, row) => (row % 20 === 7 ? 1e9 + row : 1)),
    text: Array.from({ length: ROW_COUNT }, (_, row) => `value ${row}`),
  },
};

/** Has two bit streams, corrections, exceptions, a dictionary, a mask of runs and sparse integers. */
const LONG_BLOCK: Block = {
  timestamps: Float64Array.from({ length: 600 }, (_, row) => row * 1000 + (row > 400 ? 5000 : 0)),
  columns: {
    v: Float64Array.from({ length: 600 }, (_, row) => ((row * 7919) % 211) / 100 + row / 10),
    s: Float64Array.from({ length: 600 }, (_, row) => 0.1 + 0.7 * ((row * 31) % 17)),
    l: Float64Array.from({ length: 600 }, (_, row) => (row % 99 === 7 ? Math.sqrt(row) : row)),
    u: Float64Array.from({ length: 600 }, (_, row) => Math.sqrt((row * row) % 5)),
    q: Float64Array.from({ length: 600 }, (_, row) => (row > 50 && row < 500 ? Number.NaN : 1.5)),
    f: Float64Array.from({ length: 600 }, (_, row) => Math.fround(Math.sin(row))),
  },
};

const CORRUPT: unknown = expect.objectContaining({ code: 'BLOCK_CORRUPT' });

function withChecksum(bytes: Uint8Array): Uint8Array {
  const endOffset = bytes.length - 4;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(
    endOffset,
    crc32(bytes.subarray(0, endOffset)),
    true,
  );
  return bytes;
}

/** A block from the bytes between version and checksum, with a right checksum. */
function blockOf(version: number, ...body: number[]): Uint8Array {
  return withChecksum(Uint8Array.of(0xdb, 0x6b, version, ...body, 0, 0, 0, 0));
}

function errorOf(decode: () => unknown): { code?: string; message: string } | null {
  try {
    decode();
    return null;
  } catch (error) {
    return error as { code?: string; message: string };
  }
}

/** Expects a result or a typed error from every reader, and returns the code of `decodeBlock`. */
function codeOf(bytes: Uint8Array): string | null {
  const errors = [
    errorOf(() => decodeBlock(bytes, 'test')),
    errorOf(() => decodeBlock(bytes, 'test', ['v'])),
    errorOf(() => decodeBlocks([bytes, bytes], String)),
    errorOf(() => readBlockHeader(bytes, 'test')),
  ];
  for (const error of errors) {
    if (error === null) continue;
    expect(['BLOCK_CORRUPT', 'STORE_FORMAT_UNSUPPORTED']).toContain(error.code ?? error.message);
  }
  return errors[0]?.code ?? null;
}

describe('damage', () => {
  const bytes = encodeBlock(BLOCK);

  test('a block cut short at any length is corrupt, to the header reader too', () => {
    for (let sizeBytes = 0; sizeBytes < bytes.length; sizeBytes++) {
      const cut = bytes.subarray(0, sizeBytes);
      expect(codeOf(cut)).toBe('BLOCK_CORRUPT');
      expect(() => readBlockHeader(cut, 'test')).toThrow(CORRUPT as Error);
    }
  });

  test('a block with bytes after it is corrupt, to the header reader too', () => {
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(codeOf(longer)).toBe('BLOCK_CORRUPT');
    expect(() => readBlockHeader(longer, 'test')).toThrow(CORRUPT as Error);
  });

  test('every flip of one bit is noticed', () => {
    for (let offset = 0; offset < bytes.length; offset++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[offset]! ^= 1 << bit;
        const isUnknown = offset === 2 && ![1, 2].includes(flipped[offset]!);
        const expected = isUnknown ? 'STORE_FORMAT_UNSUPPORTED' : 'BLOCK_CORRUPT';
        expect(errorOf(() => decodeBlock(flipped, 'test'))?.code).toBe(expected);
      }
    }
  });

  test('every byte replaced by another is noticed', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (offset, change) => {
        const changed = Uint8Array.from(bytes);
        changed[offset]! ^= change;
        expect(codeOf(changed)).not.toBeNull();
      }),
      { numRuns: 1000 },
    );
  });

  test('a wrong checksum is corrupt, located at the checksum', () => {
    const changed = Uint8Array.from(bytes);
    changed[changed.length - 1]! ^= 1;
    const error = errorOf(() => decodeBlock(changed, 'stream 7, level s'));
    expect(error?.code).toBe('BLOCK_CORRUPT');
    expect(error?.message).toContain('stream 7, level s');
    expect(error?.message).toContain(`byte ${bytes.length - 4}`);
  });

  test('another version is unsupported, whatever follows', () => {
    for (const version of [0, 4, 255]) {
      expect(codeOf(Uint8Array.of(0xdb, 0x6b, version, 9, 9, 9, 9, 9))).toBe(
        'STORE_FORMAT_UNSUPPORTED',
      );
    }
  });
});

describe('version 1 with a right checksum that no encoder wrote', () => {
  const v = [1, 0x76];

  test('a small block written by hand decodes, so that the table below tests what it says', () => {
    const block = decodeBlock(blockOf(1, 2, 0, 5, 0, 0, 1, ...v, 1, 2, 1, 7), 'test');
    expect(block).toEqual({
      timestamps: Float64Array.of(0, 5),
      columns: { v: Float64Array.of(0.7, 0.7) },
    });
  });

  test.each<[string, number[]]>([
    ['bad magic in the second byte', []],
    ['no rows', [0, 0, 0, 0, 0, 0]],
    ['more than 2^20 rows', [0x81, 0x80, 0x40, 0, 0, 0, 0, 0]],
    ['a varint without end', [2, 0, 5, 0, 0, ...new Array<number>(12).fill(0xff)]],
    ['a varint above 2^53 - 1', [2, 0, 5, 0, 0, ...new Array<number>(7).fill(0xff), 0x7f]],
    ['a first timestamp after the last', [2, 5, 0, 0, 0, 0]],
    ['a timestamp outside of what a Date holds', [1, 0xbf, 255, 255, 255, 255, 255, 255, 31, 0, 0]],
    ['a span without whole step', [3, 0, 5, 0, 0, 0]],
    ['one row with two timestamps', [1, 0, 5, 0, 0, 0]],
    ['unknown timestamp encoding', [2, 0, 5, 9, 0, 0]],
    ['deltas that do not reach the last timestamp', [2, 0, 5, 1, 2, 0, 0, 4]],
    ['a descending delta', [3, 0, 5, 1, 3, 0, 1, 0x41, 2]],
    ['too many columns', [2, 0, 5, 0, 0, 0x81, 0x20]],
    ['a directory longer than the block', [2, 0, 5, 0, 0, 3, ...v, 0, 0]],
    ['a name longer than the block', [2, 0, 5, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 15, 0x76, 0, 0]],
    ['a name that is not UTF-8', [2, 0, 5, 0, 0, 1, 1, 0xff, 0, 0]],
    ['two columns of one name', [2, 0, 5, 0, 0, 2, ...v, 0, 0, ...v, 0, 0]],
    ['a section longer than the block', [2, 0, 5, 0, 0, 1, ...v, 1, 9, 1, 7]],
    ['sections shorter than the block', [2, 0, 5, 0, 0, 1, ...v, 1, 2, 1, 7, 0]],
    ['unknown column encoding', [2, 0, 5, 0, 0, 1, ...v, 10, 2, 1, 7]],
    ['all null with a bitmap', [2, 0, 5, 0, 0, 1, ...v, 0x80, 3, 1, 1, 7]],
    ['a uniform bitmap', [2, 0, 5, 0, 0, 1, ...v, 0x81, 3, 3, 1, 7]],
    ['ten decimal digits', [2, 0, 5, 0, 0, 1, ...v, 1, 2, 10, 7]],
    ['bytes after a column', [2, 0, 5, 0, 0, 1, ...v, 1, 3, 1, 7, 0]],
    ['raw values cut short', [2, 0, 5, 0, 0, 1, ...v, 3, 2, 1, 7]],
    ['a miniblock of 54 bits', [2, 0, 5, 0, 0, 1, ...v, 4, 4, 0, 54, 0, 0]],
    ['a miniblock with an unknown flag', [2, 0, 5, 0, 0, 1, ...v, 4, 4, 0, 0x81, 0, 0]],
    ['a miniblock cut short', [2, 0, 5, 0, 0, 1, ...v, 4, 3, 0, 0x60, 0]],
    ['JSON that is not JSON', [2, 0, 5, 0, 0, 1, ...v, 8, 2, 0x5b, 0x5b]],
    ['JSON that is not UTF-8', [2, 0, 5, 0, 0, 1, ...v, 8, 2, 0xff, 0xff]],
    ['JSON that is no array', [2, 0, 5, 0, 0, 1, ...v, 8, 2, 0x7b, 0x7d]],
    ['JSON of too few values', [2, 0, 5, 0, 0, 1, ...v, 8, 3, 0x5b, 0x31, 0x5d]],
    ['deflated JSON of impossible size', [2, 0, 5, 0, 0, 1, ...v, 9, 4, 0xff, 0xff, 0x7f, 0]],
    ['deflated JSON that does not inflate', [2, 0, 5, 0, 0, 1, ...v, 9, 3, 5, 0xff, 0xff]],
  ])('%s is corrupt', (name, body) => {
    const bytes = blockOf(1, ...body);
    if (name.startsWith('bad magic')) bytes[1] = 0;
    expect(codeOf(bytes)).toBe('BLOCK_CORRUPT');
  });
});

describe('version 2 with a right checksum that no encoder wrote', () => {
  /** Two rows, 0 ms and 5 ms, one column `v`. */
  const start = [2, 0, 0, 5, 1];
  /** A column of whole numbers: encoding, size, series. */
  const series = (...bytes: number[]): number[] => [...start, 0x20, bytes.length, ...bytes];
  const section = (encoding: number, ...bytes: number[]): number[] => [
    ...start,
    encoding,
    bytes.length,
    ...bytes,
  ];

  test.each([
    ['a constant', [...start, 0x11, 7], [0.7, 0.7]],
    ['a correction', [...start, 0x61, 3, 1], [0.3 + 2 ** -54, 0.3 + 2 ** -54]],
    ['a constant series', series(0, 9), [9, 9]],
    ['a series of one delta', series(0x08, 3, 4), [3, 7]],
    ['a unit', series(0x80, 10, 3), [30, 30]],
    ['a range', series(3, 5, 2, 0b1101), [6, 7]],
    ['tokens of one kind', series(4, 3, 18, 0, 0b01), [21, 20]],
    ['tokens of two kinds', series(4, 3, 0, 1, 0x17, 0b010), [1, 0]],
    ['a dictionary', section(4, 2, 0x20, 0x08, 3, 4, 0x08, 0, 1), [3, 7]],
    ['an exception', section(0x40, 0, 9, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f), [9, 1]],
    ['a split double', section(3, 32, 0, 0x80, 0x80, 0x80, 0xff, 7), [1, 1]],
    ['a mask of runs', section(0x90, 2, 0x08, 1, 0, 9), [9, Number.NaN]],
    ['a bitmap', section(0x90, 0, 2, 9), [Number.NaN, 9]],
  ])(
    'a small block with %s, written by hand, decodes, so that the table below tests what it says',
    (_, body, expected) => {
      expect(decodeBlock(blockOf(2, ...(body as number[])), 'test')).toEqual({
        timestamps: Float64Array.of(0, 5),
        columns: { v: Float64Array.from(expected as number[]) },
      });
    },
  );

  test.each<[string, number[]]>([
    ['no rows', [0, 0, 0, 1, 0]],
    ['more than 2^20 rows', [0x81, 0x80, 0x40, 0, 0, 0, 1, 0]],
    ['an unknown timestamp encoding', [2, 3, 0, 5, 1, 0]],
    ['an unknown unit of time', [2, 0x50, 0, 5, 1, 0]],
    ['a step beyond what a Date holds', [2, 0x40, 0, 0x80, 0x80, 0x80, 0x80, 1, 1, 0]],
    ['a first instant beyond what a Date holds', [1, 0x40, 0x80, 0x80, 0x80, 0x80, 1, 1, 0]],
    ['deltas that do not reach the last timestamp', [3, 1, 0, 5, 2, 1, 0, 0, 2]],
    ['a descending delta', [3, 1, 0, 5, 3, 1, 0, 0, 0x08, 6, 0x47]],
    ['names told in no known way', [2, 0, 0, 5, 9, 0]],
    ['too many columns', [2, 0, 0, 5, 0, 0x81, 0x20]],
    [
      'too many cells',
      [
        0x80,
        0x80,
        0x40,
        0,
        0,
        1,
        0,
        17,
        ...Array.from('qwertyuiopasdfghj', (c) => [1, c.charCodeAt(0)]).flat(),
        ...new Array<number>(17).fill(0),
      ],
    ],
    ['two columns of one name', [2, 0, 0, 5, 0, 2, 1, 0x76, 1, 0x76, 0, 0]],
    ['a name that is not UTF-8', [2, 0, 0, 5, 0, 1, 1, 0xff, 0]],
    ['a section longer than the block', [...start, 0x20, 9, 0, 9]],
    ['sections shorter than the block', [...start, 0x20, 2, 0, 9, 0]],
    ['bytes after an inline column', [...start, 0x11, 7, 0]],
    ['an unknown column encoding', section(0x07, 0, 9)],
    ['a correction beyond 1024', [...start, 0x61, 3, 0x81, 0x10]],
    ['corrections beyond 1024', section(0x30, 0, 9, 0, 0x81, 0x10)],
    ['an impossible predictor', series(0x50, 0, 0)],
    ['a series of an unknown form', series(6, 0)],
    ['more first integers than rows', [1, 0, 0, 1, 0x20, 4, 0x10, 1, 1, 0]],
    ['bytes after a series', series(0, 9, 0)],
    ['a miniblock of 54 bits', series(1, 54, 0, 0)],
    ['a range above 2^24', series(3, 0, 0x80, 0x80, 0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['a range cut short', series(3, 0, 0xff, 0x7f, 0)],
    ['padding that is not 0', series(3, 5, 2, 0b11001)],
    ['tokens without precision', series(4, 0, 18, 0, 0)],
    ['tokens of more than 2^53', series(4, 1, 0xb0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['too many tokens', series(4, 3, 0, 0xff, 0x7f, 0, 0)],
    ['a prefix code that is not complete', series(4, 3, 0, 1, 0, 0, 0)],
    ['a prefix code of too many codes', series(4, 3, 0, 2, 0x17, 0, 0, 0)],
    ['a run of unused tokens beyond the last', series(4, 3, 0, 1, 0x0f, 0xff, 0)],
    ['extra bits cut short', series(4, 3, 60, 0, 0)],
    ['a sparse series with too many others', series(5, 0, 2, 0, 0, 0, 1)],
    ['a sparse place outside', [4, 0, 0, 5, 1, 0x20, 6, 5, 0, 1, 0, 4, 0]],
    ['a null mask of all rows', section(0x90, 0, 3, 9)],
    ['a null mask of too many runs', section(0x90, 4, 0, 0, 9)],
    ['a null mask of more rows', section(0x90, 2, 0, 2, 9)],
    ['a null mask with a negative run', section(0x90, 3, 0x08, 3, 0x42, 9)],
    ['a null mask of no values', section(0x80, 0, 1)],
    ['an empty dictionary', section(4, 0, 0x20, 0, 0)],
    ['a dictionary of 257', section(4, 0x81, 2, 0x10, 9, 0, 0)],
    ['a dictionary in a dictionary', section(4, 1, 4, 1, 0x10, 0, 0, 0)],
    ['an index outside of the dictionary', section(4, 2, 0x20, 0x08, 3, 4, 0x08, 0, 2)],
    ['a negative index', section(4, 2, 0x20, 0x08, 3, 4, 0x08, 0, 0x41)],
    ['more exceptions than rows', section(0x40, 0, 9, 3, 0, 1)],
    ['an exception at no row', section(0x40, 0, 9, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f)],
    ['an exception cut short', section(0x40, 0, 9, 1, 0, 1, 0, 0, 0, 0, 0, 0xf0, 0x3f)],
    ['a word of 33 zeros', section(3, 33, 0, 9)],
    ['raw values cut short', section(2, 0, 0, 0, 0)],
    ['JSON of too few values', section(8, 0x5b, 0x31, 0x5d)],
  ])('%s is corrupt', (_, body) => {
    expect(codeOf(blockOf(2, ...body))).toBe('BLOCK_CORRUPT');
  });

  test('two bit streams of which the first has another length are corrupt', () => {
    const values = Float64Array.from({ length: 600 }, (_, row) => ((row * 7919) % 211) ** 2 % 97);
    const bytes = encodeBlock({ timestamps: values.map((_, row) => row), columns: { v: values } });
    let changedCount = 0;
    // Wherever the size of the first stream is: one of these bytes.
    for (let offset = 10; offset < bytes.length - 4; offset++) {
      const changed = Uint8Array.from(bytes);
      changed[offset]! ^= 1;
      const error = errorOf(() => decodeBlock(withChecksum(changed), 'test'));
      if (error?.message.includes('bit stream')) changedCount++;
    }
    expect(changedCount).toBeGreaterThan(0);
  });

  test('sparse series one in another end at once', () => {
    // Each has a quarter of the places of the one around it: ten levels at most.
    const nested = Array.from({ length: 400 }, () => [5, 0, 0x80, 0x80, 0x10]).flat();
    const bytes = blockOf(2, 0x80, 0x80, 0x40, 0, 0, 1, 1, 0x20, 0xd0, 0x0f, ...nested);
    expect(codeOf(bytes)).toBe('BLOCK_CORRUPT');
  });
});

describe('version 3 with a right checksum that no encoder wrote', () => {
  /** Two rows, 0 ms and 5 ms, and the columns `c s l`, of which the first is the series 3, 7. */
  const start = [2, 0, 0, 5, 3, 7, 0];
  const series = [0x20, 3];
  const payload = [0x08, 3, 4];
  const decimals = Float64Array.of(3, 7);

  test.each<[string, number[], Float64Array, Float64Array]>([
    ['a column told by another', [5, 0, 0x10, 9], decimals, Float64Array.of(9, 9)],
    ['squares', [6, 0, 5, 0], Float64Array.of(9, 49), decimals],
  ])('a small block with %s, written by hand, decodes', (_, entries, second, third) => {
    const bytes = blockOf(3, ...start, ...series, ...entries, ...payload);
    expect(decodeBlock(bytes, 'test').columns).toEqual({ c: decimals, s: second, l: third });
  });

  test.each<[string, number[]]>([
    ['a column told by itself', [...series, 5, 1, 0x10, 9, ...payload]],
    ['a column told by one behind it', [6, 1, ...series, 0x10, 9, ...payload]],
    ['a column told by none', [...series, 5, 9, 0x10, 9, ...payload]],
    ['a column told by one that another tells', [...series, 5, 0, 6, 1, ...payload]],
    ['a column told by a constant', [...series, 0x10, 9, 5, 1, ...payload]],
    ['a column told by JSON', [8, 5, 5, 0, 0x10, 9, 0x5b, 0x31, 0x2c, 0x32, 0x5d]],
    ['a reference cut short', [...series, 0x10, 9, 5]],
  ])('%s is corrupt', (_, entries) => {
    expect(codeOf(blockOf(3, ...start, ...entries))).toBe('BLOCK_CORRUPT');
  });

  test('version 2 knows no column that another one tells', () => {
    const bytes = blockOf(2, ...start, ...series, 5, 0, 0x10, 9, ...payload);
    expect(codeOf(bytes)).toBe('BLOCK_CORRUPT');
  });
});

describe('any bytes with a right checksum', () => {
  test('blocks with bytes changed and the checksum set right never fail untyped', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.oneof(blocks, fc.constantFrom(BLOCK, LONG_BLOCK)), changes, (block, list) => {
        const bytes = encodeBlock(block);
        for (const [offset, byte] of list) bytes[3 + (offset % (bytes.length - 7))] = byte;
        codeOf(withChecksum(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  test('random bytes are corrupt, with and without the first bytes of a block', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        expect(codeOf(body)).not.toBeNull();
        codeOf(blockOf(1, ...body));
        codeOf(blockOf(2, ...body));
      }),
      { numRuns: 2000 },
    );
  });
});
