import { type Block, EMPTY_BLOCK } from '../../model/block.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { ColumnPart } from './cohort.ts';
import type { EncodedRows } from './encoded-rows.ts';
import { TailRows } from './tail-rows.ts';

/** Ready-made blocks are put as they are: they take so much less time than rows that are encoded. */
const READY_MADE_DIVISOR = 16;

/** Rows that came together: as an array of their own, ready-made as a block, or in a cohort. */
export type TailPart = TailRows | EncodedRows | ColumnPart;

/**
 * The newest rows of one level of one stream, which only the journal holds so far: they ascend, and
 * none is older than a row in the level's blocks.
 */
export class Tail {
  readonly #parts: TailPart[] = [];
  /** About how many rows sealing has to encode. */
  looseRowCount = 0;

  /** Ascending; none is empty. */
  get parts(): readonly TailPart[] {
    return this.#parts;
  }

  get firstMs(): number {
    return this.#parts[0]!.firstMs;
  }

  get lastMs(): number {
    return this.#parts.at(-1)!.lastMs;
  }

  /** Adds a raw numeric row. */
  push(timestampMs: number, value: number): void {
    this.#growing().push(timestampMs, value);
    this.looseRowCount++;
  }

  /** Adds rows, by copy. */
  append(block: Block): void {
    this.#growing().append(block);
    this.looseRowCount += block.timestamps.length;
  }

  /** Adds rows as they are. */
  add(part: EncodedRows | ColumnPart): void {
    this.#parts.push(part);
    const divisor = part instanceof ColumnPart || part.isDraft === true ? 1 : READY_MADE_DIVISOR;
    this.looseRowCount += part.rowCount / divisor;
  }

  /** Lets go of what others keep for it. */
  release(): void {
    for (const part of this.#parts) {
      if (part instanceof ColumnPart) part.cohort.release(part);
    }
  }

  #growing(): TailRows {
    const last = this.#parts.at(-1);
    if (last instanceof TailRows) return last;
    const rows = new TailRows();
    this.#parts.push(rows);
    return rows;
  }
}

/** Whether the rows of a part are in memory as they are read. */
export function isLoose(part: TailPart): part is TailRows | ColumnPart {
  return part instanceof TailRows || part instanceof ColumnPart;
}

/** The parts that reach into the range, of parts that ascend. */
export function partsIn(
  parts: readonly TailPart[],
  { startMs, endMs }: TimeRange,
): readonly TailPart[] {
  const from = firstIndex(parts, (part) => part.lastMs >= startMs);
  const to = firstIndex(parts, (part) => part.firstMs >= endMs);
  return parts.slice(from, to);
}

/** The rows of a part that is not encoded, cut to the range, with the named columns; maybe none. */
export function rowsIn(
  part: TailRows | ColumnPart,
  range: TimeRange,
  names: readonly string[] | undefined,
): Block {
  if (part instanceof ColumnPart) return part.cut(range)?.block(names) ?? EMPTY_BLOCK;
  return part.block({ range, names });
}

/** Index of the first part of which it holds, when it holds of all behind one of which it does. */
function firstIndex(parts: readonly TailPart[], holds: (part: TailPart) => boolean): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(parts[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
