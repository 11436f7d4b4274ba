import { LevelSchema } from '../downsamplers/level-schema.ts';
import { bucketCeilMs, type Granularity } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import { rowsFromMs } from '../model/retention.ts';
import type { StreamRecord } from '../model/stream.ts';
import type { CheckedRange } from './data-range.ts';
import type { DatapointRows } from './datapoint-rows.ts';
import type { ItemBlock } from './item-block.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

/** A part of a range, and the granularity that answers for it. */
export interface RangePart {
  readonly granularity: Granularity;
  readonly range: CheckedRange;
}

/** The rows of a part. */
export interface RowsPart {
  readonly granularity: Granularity;
  readonly rows: DatapointRows;
}

/**
 * Cuts a range where rows of the asked granularity have expired: what lies before is for the finest level that
 * still has it, and so on. No instant is in two parts; a bucket that would be belongs to the coarser one.
 * @param finest what is asked for; the raw granularity of the stream for raw datapoints.
 * @returns the parts in order of time, at least one.
 */
export function fallbackParts(
  record: StreamRecord,
  finest: Granularity,
  range: CheckedRange,
): readonly RangePart[] {
  const parts: RangePart[] = [];
  let rest = range;
  let granularity = finest;
  const coarser = LevelSchema.of(record).isEmpty ? [] : coarserThan(record, finest);
  for (const level of coarser) {
    const expiredMs = rowsFromMs(record, granularity.name);
    if (rowsFromMs(record, level.name) >= expiredMs) continue;
    const boundMs = bucketCeilMs(expiredMs, level);
    if (rest.startMs >= boundMs) break;
    const endMs = Math.min(boundMs, rest.endMs);
    parts.unshift({
      granularity,
      range: {
        startMs: firstAfterMs(record, granularity, endMs),
        isStartExclusive: false,
        endMs: rest.endMs,
      },
    });
    rest = { ...rest, endMs };
    granularity = level;
  }
  return [{ granularity, range: rest }, ...parts];
}

/**
 * Where rows begin that have nothing before the instant. Buckets of two time zones may never meet: one that
 * lies across the instant would tell again what the coarser bucket before it has told.
 */
function firstAfterMs(record: StreamRecord, granularity: Granularity, instantMs: number): number {
  const isRaw = granularity.name === record.highestGranularity;
  return isRaw ? instantMs : bucketCeilMs(instantMs, granularity);
}

function coarserThan(record: StreamRecord, finest: Granularity): readonly Granularity[] {
  const { levels } = ladderOf(record);
  return levels.slice(levels.findIndex(({ name }) => name === finest.name) + 1);
}

/** Rows of several granularities, one after the other; each datapoint says of which it is. */
export class FallbackRows implements DatapointRows {
  /** In the asked order. */
  readonly #parts: readonly RowsPart[];

  constructor(parts: readonly RowsPart[]) {
    this.#parts = parts;
  }

  async count(): Promise<number> {
    let count = 0;
    for (const { rows } of this.#parts) count += await rows.count();
    return count;
  }

  async *blocks(from: number, to: number): AsyncGenerator<ItemBlock<Datapoint>, void, undefined> {
    for await (const { granularity, rows, ...own } of this.#places(from, to)) {
      for await (const block of rows.blocks(own.from, own.to)) {
        yield new MarkedDatapoints(block, granularity);
      }
    }
  }

  /** @throws {TypeError} when there are rows of more than one granularity. */
  async columns(from: number, to: number): Promise<DatapointColumns> {
    let found: DatapointColumns | null = null;
    for await (const { granularity, rows, ...own } of this.#places(from, to)) {
      const columns = { ...(await rows.columns(own.from, own.to)), granularity };
      if (columns.timestamps.length === 0 && found !== null) continue;
      if (found !== null && found.timestamps.length > 0) {
        throw new TypeError(
          `There are datapoints of ${found.granularity!.name} and of ${granularity.name}: ` +
            'columnBlocks gives the columns of one after the other.',
        );
      }
      found = columns;
    }
    return found ?? { timestamps: new Float64Array(0) };
  }

  async *columnBlocks(from: number, to: number): AsyncGenerator<DatapointColumns, void, undefined> {
    for await (const { granularity, rows, ...own } of this.#places(from, to)) {
      for await (const block of rows.columnBlocks(own.from, own.to)) {
        yield { ...block, granularity };
      }
    }
  }

  /** The parts with positions among `[from, to)`, and these positions inside of them. */
  async *#places(
    from: number,
    to: number,
  ): AsyncGenerator<RowsPart & { readonly from: number; readonly to: number }, void, undefined> {
    let before = 0;
    for (const [index, part] of this.#parts.entries()) {
      if (before >= to) return;
      const isLast = index === this.#parts.length - 1;
      // What is behind the last part is nobody's: it need not be counted.
      const isWhole = from <= before && to === Number.POSITIVE_INFINITY;
      const count = isLast || isWhole ? Number.POSITIVE_INFINITY : await part.rows.count();
      const own = { from: Math.max(0, from - before), to: Math.min(count, to - before) };
      if (own.from < own.to) yield { ...part, ...own };
      before += isWhole ? 0 : count;
    }
  }
}

class MarkedDatapoints implements ItemBlock<Datapoint> {
  readonly #block: ItemBlock<Datapoint>;
  readonly #granularity: Granularity;

  constructor(block: ItemBlock<Datapoint>, granularity: Granularity) {
    this.#block = block;
    this.#granularity = granularity;
  }

  get length(): number {
    return this.#block.length;
  }

  at(index: number): Datapoint | undefined {
    const datapoint = this.#block.at(index);
    return datapoint && { ...datapoint, granularity: this.#granularity };
  }
}
