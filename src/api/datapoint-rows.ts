import type { RowsPlan } from '../backends/backend.ts';
import type { Block } from '../model/block.ts';
import type { SequenceSource } from './sequence.ts';
import type { Datapoint, DatapointColumns } from './types.ts';

/** Rows of one level, in the asked order. */
export interface DatapointRows extends SequenceSource<Datapoint> {
  /** Those at the positions `[from, to)` at once, in arrays of their own. */
  columns(from: number, to: number): Promise<DatapointColumns>;
  /** Block by block. The arrays may share memory with the store. */
  columnBlocks(from: number, to: number): AsyncIterable<DatapointColumns>;
}

/** Rows as they are stored. */
export interface WholeRows extends DatapointRows {
  /** How all of them are read at once. */
  whole(): ColumnsPlan;
}

/** Rows to read, and what becomes of them. */
export interface ColumnsPlan extends RowsPlan {
  /**
   * The rows as columns. The block is the caller's, who has no other use for it. A promise where more has to be read:
   * the stream may have changed since.
   */
  finish(block: Block): DatapointColumns | Promise<DatapointColumns>;
}
