import { type Block, type Column, VALUE_COLUMN } from '../../model/block.ts';
import { NO_ROW } from '../backend.ts';
import type { CohortKey } from './cohort.ts';
import type { BucketRows } from './journal-entry.ts';

/** Of buckets: how many rows are in it. */
export const COUNT_COLUMN = 'c';

const RAW_COLUMN_NAMES: readonly string[] = [VALUE_COLUMN];

export function tickKey(level: number, ordinals: Uint32Array): CohortKey {
  return {
    level,
    ordinals,
    columnNames: RAW_COLUMN_NAMES,
    gapColumn: VALUE_COLUMN,
    gapValue: NO_ROW,
  };
}

export function bucketKey({
  level,
  ordinals,
  columns,
}: Pick<BucketRows, 'level' | 'ordinals' | 'columns'>): CohortKey {
  return {
    level,
    ordinals,
    columnNames: [...columns.keys()],
    gapColumn: COUNT_COLUMN,
    gapValue: 0,
  };
}

/** The bucket of one of the streams; null when it has no row. */
export function bucketRow(
  { startMs, columns }: Pick<BucketRows, 'startMs' | 'columns'>,
  index: number,
): Block | null {
  const row: Record<string, Column> = {};
  for (const [name, cells] of columns) {
    const value = typeof cells === 'number' ? cells : cells[index]!;
    if (name === COUNT_COLUMN && value === 0) return null;
    row[name] = Float64Array.of(value);
  }
  return { timestamps: Float64Array.of(startMs), columns: row };
}
