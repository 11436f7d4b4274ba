import { assert } from '../../model/assert.ts';
import type { Block } from '../../model/block.ts';
import type { GranularityName } from '../../model/granularity.ts';
import type { StreamId, StreamRecord } from '../../model/stream.ts';
import { decodeBlock, encodeBlock } from '../codec/block-codec.ts';

/** What is known of a block without reading its rows. Block documents never change, and ids never return. */
export interface BlockRef {
  readonly id: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly rowCount: number;
}

export interface RecordChange {
  readonly number: number;
  readonly isCreated: boolean;
  readonly record: StreamRecord;
}

/** One numeric raw row for each of many streams; it goes to the end of their tails. */
export interface TickChange {
  readonly timestampMs: number;
  readonly granularity: GranularityName;
  readonly numbers: Uint32Array;
  readonly values: Float64Array;
}

export interface LevelChange {
  readonly number: number;
  readonly granularity: GranularityName;
  /** Ids of blocks that no longer count. */
  readonly drop: readonly string[];
  /** Blocks that count from now on; their documents were written before. */
  readonly add: readonly BlockRef[];
  /** Instants of the first and the last row in blocks, afterwards; null when there are none. */
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  /** The tail is emptied before `rows` are added to its end. */
  readonly isTailCleared: boolean;
  readonly rows: Block | null;
}

interface Deletion {
  readonly number: number;
  readonly streamId: StreamId;
}

/** What a whole group of commits changes. Applied in the order of the fields. */
export interface Changes {
  readonly records: readonly RecordChange[];
  readonly ticks: readonly TickChange[];
  readonly levels: readonly LevelChange[];
  readonly deletions: readonly Deletion[];
  /** By number of each stream touched: which commit of the group touched it last. */
  readonly touched: ReadonlyMap<number, number>;
}

export interface EntryHeader {
  readonly seq: number;
  /** Tells this insert from any other of the same number. */
  readonly token: string;
  /** Token of the entry before. */
  readonly previousToken: string;
  /** Stream and block documents hold everything up to this number. */
  readonly floor: number;
  /** Entries up to this number, and what they superseded, may be gone. */
  readonly trimmed: number;
  /** What entries up to this number superseded is gone. */
  readonly cleared: number;
  /** How many streams were ever created: the next one's number less one. */
  readonly streamCount: number;
  /** When the floor moved here, by the server's clock; null in other entries. */
  readonly checkpointMs: number | null;
}

export interface Entry extends EntryHeader, Changes {
  readonly sizeBytes: number;
}

/** Documents sort by this text as the numbers do. */
export function entryId(seq: number): string {
  return String(seq).padStart(16, '0');
}

export const NO_CHANGES: Changes = {
  records: [],
  ticks: [],
  levels: [],
  deletions: [],
  touched: new Map(),
};

/** The stored form of changes: `text` holds the structure, `touched` and `rows` the numbers. */
export interface EncodedChanges {
  readonly text: string;
  readonly touched: Uint8Array;
  readonly rows: Uint8Array;
}

type LevelText = [
  number,
  GranularityName,
  readonly string[],
  readonly (readonly [string, number, number, number])[],
  number | null,
  number | null,
  0 | 1,
  number,
];

interface ChangesText {
  readonly r: readonly (readonly [number, 0 | 1, StreamRecord])[];
  readonly t: readonly (readonly [number, GranularityName, number])[];
  readonly l: readonly LevelText[];
  readonly x: readonly (readonly [number, StreamId])[];
}

const TICK_ROW_SIZE_BYTES = 12;

/** Format: docs/format/mongodb.md. */
export function encodeChanges(changes: Changes): EncodedChanges {
  const parts: Uint8Array[] = [];
  const ticks = changes.ticks.map(({ timestampMs, granularity, numbers, values }) => {
    parts.push(bytesOf(values), bytesOf(numbers));
    return [timestampMs, granularity, numbers.length] as const;
  });
  const levels = changes.levels.map((change): LevelText => {
    const bytes = change.rows === null ? new Uint8Array(0) : encodeBlock(change.rows);
    parts.push(bytes);
    return [
      change.number,
      change.granularity,
      change.drop,
      change.add.map((ref) => [ref.id, ref.firstMs, ref.lastMs, ref.rowCount] as const),
      change.firstMs,
      change.lastMs,
      change.isTailCleared ? 1 : 0,
      bytes.length,
    ];
  });
  const content: ChangesText = {
    r: changes.records.map(({ number, isCreated, record }) => [number, isCreated ? 1 : 0, record]),
    t: ticks,
    l: levels,
    x: changes.deletions.map(({ number, streamId }) => [number, streamId]),
  };
  return {
    text: JSON.stringify(content),
    touched: bytesOf(Uint32Array.from([...changes.touched].flat())),
    rows: Buffer.concat(parts),
  };
}

/** With `rows` null, ticks and rows are left out: for entries that the documents hold already. */
export function decodeChanges(
  { text, touched, rows }: Omit<EncodedChanges, 'rows'> & { readonly rows: Uint8Array | null },
  location: string,
): Changes {
  const content = JSON.parse(text) as ChangesText;
  const reader = new Parts(rows);
  const ticks = rows === null ? [] : content.t.map((item) => reader.tick(item));
  const levels = content.l.map((item): LevelChange => {
    const [number, granularity, drop, add, firstMs, lastMs, isCleared, sizeBytes] = item;
    return {
      number,
      granularity,
      drop,
      add: add.map(([id, first, last, rowCount]) => ({
        id,
        firstMs: first,
        lastMs: last,
        rowCount,
      })),
      firstMs,
      lastMs,
      isTailCleared: isCleared === 1,
      rows: rows === null || sizeBytes === 0 ? null : reader.block(sizeBytes, location),
    };
  });
  const pairs = aligned(touched);
  const indexes = new Map<number, number>();
  const numbers = new Uint32Array(pairs.buffer, 0, pairs.length >>> 2);
  for (let i = 0; i < numbers.length; i += 2) indexes.set(numbers[i]!, numbers[i + 1]!);
  return {
    records: content.r.map(([number, isCreated, record]) => ({
      number,
      isCreated: isCreated === 1,
      record,
    })),
    ticks,
    levels,
    deletions: content.x.map(([number, streamId]) => ({ number, streamId })),
    touched: indexes,
  };
}

class Parts {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array | null) {
    this.#bytes = bytes ?? new Uint8Array(0);
  }

  tick([timestampMs, granularity, count]: ChangesText['t'][number]): TickChange {
    const bytes = aligned(this.#take(count * TICK_ROW_SIZE_BYTES));
    return {
      timestampMs,
      granularity,
      values: new Float64Array(bytes.buffer, 0, count),
      numbers: new Uint32Array(bytes.buffer, count * 8, count),
    };
  }

  block(sizeBytes: number, location: string): Block {
    return decodeBlock(this.#take(sizeBytes), location);
  }

  #take(sizeBytes: number): Uint8Array {
    const end = this.#offset + sizeBytes;
    assert(end <= this.#bytes.length, 'an entry holds all of its rows');
    const part = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return part;
  }
}

/** A copy in memory of its own, where numbers of any width may lie. */
function aligned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}

function bytesOf(numbers: Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
